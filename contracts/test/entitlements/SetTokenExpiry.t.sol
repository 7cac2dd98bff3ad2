// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {RefusingWallet} from "../mocks/Receivers.sol";
import {EntitlementsFixture} from "../support/EntitlementsFixture.sol";

contract SetTokenExpiryTest is EntitlementsFixture {
    function set(uint64 expiresAt) internal {
        vm.prank(minter);
        entitlements.setTokenExpiry(holder, AGENT, expiresAt);
    }

    function test_gives_access_to_who_had_none() public {
        expectChange(START + 5);
        vm.expectEmit(address(entitlements));
        emit IERC1155.TransferSingle(minter, address(0), holder, AGENT, 1);
        set(START + 5);

        vm.assertTrue(entitlements.hasValidToken(holder, AGENT));
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 1);
    }

    function test_shortens_and_lengthens() public {
        mint(30 days);
        set(START + 1);
        vm.assertEq(expiry(), START + 1);
        vm.recordLogs();
        set(START + 365 days);
        vm.assertEq(vm.getRecordedLogs().length, 1);
        vm.assertEq(expiry(), START + 365 days);
    }

    function test_ends_access_for_life_at_a_date() public {
        mint(0);
        set(START + 1 days);
        vm.assertEq(expiry(), START + 1 days);
        vm.warp(START + 1 days);
        vm.assertFalse(entitlements.hasValidToken(holder, AGENT));
    }

    function test_gives_access_for_life() public {
        mint(30 days);
        set(LIFETIME);
        vm.assertEq(expiry(), LIFETIME);
        set(START + 1);
        vm.assertEq(expiry(), START + 1);
    }

    function test_access_can_be_bought_beside_life_set_by_hand() public {
        set(LIFETIME);
        Grant memory timed = mint(30 days);
        vm.assertEq(timed.start, START);
        vm.assertEq(takeBack(timed), 30 days);
        vm.assertEq(expiry(), LIFETIME);
    }

    function test_reverts_when_not_in_the_future() public {
        vm.prank(minter);
        vm.expectRevert(
            abi.encodeWithSelector(AgentNexusEntitlements.ExpiryNotInFuture.selector, START, uint256(START))
        );
        entitlements.setTokenExpiry(holder, AGENT, START);
        vm.prank(minter);
        vm.expectRevert(
            abi.encodeWithSelector(AgentNexusEntitlements.ExpiryNotInFuture.selector, uint64(0), uint256(START))
        );
        entitlements.setTokenExpiry(holder, AGENT, 0);
    }

    function test_reverts_when_there_is_no_holder() public {
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.ZeroAddress.selector));
        entitlements.setTokenExpiry(address(0), AGENT, START + 1);
    }

    function test_reverts_when_the_contract_cannot_receive() public {
        address wallet = address(new RefusingWallet());
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.RecipientCannotReceive.selector, wallet));
        entitlements.setTokenExpiry(wallet, AGENT, START + 1);
    }

    function test_reverts_when_the_caller_is_no_minter() public {
        expectNotMinter(owner);
        entitlements.setTokenExpiry(holder, AGENT, START + 1);
        expectNotMinter(holder);
        entitlements.setTokenExpiry(holder, AGENT, START + 1);
    }
}
