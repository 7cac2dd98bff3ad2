// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {EntitlementsFixture} from "../support/EntitlementsFixture.sol";

contract RevokeTokenTest is EntitlementsFixture {
    function revoke() internal {
        vm.prank(minter);
        entitlements.revokeToken(holder, AGENT);
    }

    function test_takes_timed_access() public {
        mint(30 days);

        expectChange(0);
        vm.expectEmit(address(entitlements));
        emit IERC1155.TransferSingle(minter, holder, address(0), AGENT, 1);
        revoke();

        vm.assertFalse(entitlements.hasValidToken(holder, AGENT));
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 0);
    }

    function test_takes_access_for_life() public {
        mint(0);
        mint(0);
        revoke();
        vm.assertEq(expiry(), 0);
    }

    function test_takes_a_token_that_has_expired() public {
        mint(1);
        vm.warp(START + 10);
        revoke();
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 0);
    }

    function test_access_can_be_bought_again() public {
        Grant memory before = mint(30 days);
        revoke();
        Grant memory grant = mint(10 days);
        vm.assertEq(expiry(), START + 10 days);
        vm.assertEq(takeBack(before), 0);
        vm.assertEq(takeBack(grant), 10 days);
    }

    function test_reverts_when_there_is_nothing() public {
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.NothingToRevoke.selector, holder, AGENT));
        entitlements.revokeToken(holder, AGENT);
    }

    function test_reverts_when_revoked() public {
        mint(1 days);
        revoke();
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.NothingToRevoke.selector, holder, AGENT));
        entitlements.revokeToken(holder, AGENT);
    }

    function test_reverts_when_the_caller_is_no_minter() public {
        mint(1 days);
        expectNotMinter(owner);
        entitlements.revokeToken(holder, AGENT);
        expectNotMinter(holder);
        entitlements.revokeToken(holder, AGENT);
    }
}
