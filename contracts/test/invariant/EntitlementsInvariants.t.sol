// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {TestBase} from "../support/TestBase.sol";
import {EntitlementsHandler} from "./EntitlementsHandler.sol";

contract EntitlementsInvariants is TestBase {
    AgentNexusEntitlements internal entitlements;
    EntitlementsHandler internal handler;

    function setUp() public {
        vm.warp(1_800_000_000);
        address owner = address(0x0111);
        address minter = address(0x0222);
        entitlements = new AgentNexusEntitlements(owner);
        vm.prank(owner);
        entitlements.setMinter(minter, true);
        handler = new EntitlementsHandler(entitlements, minter);
        targetContract(address(handler));
    }

    /// @dev Access is active exactly while a paid or granted period runs, and ends when the model says.
    function invariant_access_is_what_the_model_says() public view {
        for (uint256 h = 0; h < 3; ++h) {
            address holder = handler.holders(h);
            for (uint256 agentId = 0; agentId < handler.AGENTS(); ++agentId) {
                uint256 expected = handler.model().expiresAt(holder, agentId);
                vm.assertEq(entitlements.hasValidToken(holder, agentId), expected != 0, "active");
                if (expected != 0) vm.assertEq(entitlements.expiresAt(holder, agentId), expected, "expiry");
            }
        }
    }

    /// @dev Who has access has exactly one token; who has a token has an expiry.
    function invariant_one_token_for_each_access() public view {
        for (uint256 h = 0; h < 3; ++h) {
            address holder = handler.holders(h);
            for (uint256 agentId = 0; agentId < handler.AGENTS(); ++agentId) {
                uint256 balance = entitlements.balanceOf(holder, agentId);
                vm.assertEq(balance, entitlements.expiresAt(holder, agentId) == 0 ? 0 : 1, "balance");
            }
        }
    }
}
