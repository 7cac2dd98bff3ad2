// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {AnsweringWallet, ReentrantWallet, RefusingWallet, SilentWallet, Wallet} from "../mocks/Receivers.sol";
import {EntitlementsFixture} from "../support/EntitlementsFixture.sol";

contract MintTokenTest is EntitlementsFixture {
    bytes4 private constant ACCEPTED = IERC1155Receiver.onERC1155Received.selector;

    function test_the_first_grant_begins_now() public {
        Grant memory grant = mint(30 days);

        vm.assertEq(expiry(), START + 30 days);
        vm.assertEq(grant.start, START);
        vm.assertEq(grant.run, 1);
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 1);
        vm.assertTrue(entitlements.hasValidToken(holder, AGENT));
    }

    function test_a_grant_during_another_extends_it() public {
        mint(30 days);
        vm.warp(START + 10 days);

        Grant memory second = mint(5 days);

        vm.assertEq(expiry(), START + 35 days);
        vm.assertEq(second.start, START + 30 days);
        vm.assertEq(second.run, 1);
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 1);
    }

    function test_a_grant_after_the_end_begins_anew() public {
        mint(1 days);
        vm.warp(START + 1 days);
        vm.assertFalse(entitlements.hasValidToken(holder, AGENT));

        Grant memory second = mint(1 days);

        vm.assertEq(expiry(), START + 2 days);
        vm.assertEq(second.start, START + 1 days);
        vm.assertEq(second.run, 2);
    }

    function test_access_ends_with_its_last_second() public {
        mint(100);
        vm.warp(START + 99);
        vm.assertTrue(entitlements.hasValidToken(holder, AGENT));
        vm.warp(START + 100);
        vm.assertFalse(entitlements.hasValidToken(holder, AGENT));
        vm.assertEq(expiry(), START + 100);
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 1);
    }

    function test_time_goes_on_after_32_bits_of_seconds() public {
        vm.warp(type(uint40).max);

        Grant memory grant = mint(1 days);

        vm.assertEq(grant.start, type(uint40).max);
        vm.assertEq(expiry(), uint64(type(uint40).max) + 1 days);
        vm.warp(uint256(type(uint40).max) + 1 hours);
        vm.assertEq(takeBack(grant), 23 hours);
    }

    function test_no_duration_is_for_life() public {
        mint(0);

        vm.warp(type(uint40).max);
        vm.assertEq(expiry(), LIFETIME);
        vm.assertTrue(entitlements.hasValidToken(holder, AGENT));
    }

    function test_the_longest_duration() public {
        mint(type(uint32).max);
        vm.assertEq(expiry(), START + type(uint32).max);
    }

    function test_holders_and_agents_are_apart() public {
        mint(30 days);
        vm.assertEq(entitlements.expiresAt(stranger, AGENT), 0);
        vm.assertEq(entitlements.expiresAt(holder, AGENT + 1), 0);
        vm.assertFalse(entitlements.hasValidToken(stranger, AGENT));
        vm.assertEq(entitlements.balanceOf(holder, AGENT + 1), 0);
    }

    function test_a_new_token_is_announced() public {
        expectChange(START + 30 days);
        vm.expectEmit(address(entitlements));
        emit IERC1155.TransferSingle(minter, address(0), holder, AGENT, 1);
        mint(30 days);
    }

    function test_an_extension_is_announced_without_a_transfer() public {
        mint(30 days);
        vm.recordLogs();
        mint(30 days);
        vm.assertEq(vm.getRecordedLogs().length, 1);
    }

    function test_a_renewal_after_the_end_calls_nobody_and_transfers_nothing() public {
        ReentrantWallet wallet = new ReentrantWallet();
        vm.prank(minter);
        entitlements.mintToken(address(wallet), AGENT, 1 days);
        vm.warp(START + 2 days);
        vm.prank(minter);
        entitlements.mintToken(address(wallet), AGENT, 1 days);
        vm.assertEq(wallet.attempts(), 1);
    }

    function test_a_contract_is_asked_and_sees_its_access() public {
        ReentrantWallet wallet = new ReentrantWallet();
        wallet.prepare(address(entitlements), abi.encodeCall(entitlements.expiresAt, (address(wallet), AGENT)));
        vm.prank(minter);
        entitlements.mintToken(address(wallet), AGENT, 1 days);
        vm.assertEq(abi.decode(wallet.answer(), (uint64)), START + 1 days);
    }

    function test_a_contract_is_told_what_it_receives() public {
        Wallet wallet = new Wallet();
        vm.expectCall(address(wallet), abi.encodeCall(wallet.onERC1155Received, (minter, address(0), AGENT, 1, "")), 1);
        vm.prank(minter);
        entitlements.mintToken(address(wallet), AGENT, 1 days);
    }

    function test_reverts_when_the_caller_is_no_minter() public {
        expectNotMinter(owner);
        entitlements.mintToken(holder, AGENT, 1);
        expectNotMinter(holder);
        entitlements.mintToken(holder, AGENT, 1);
    }

    function test_reverts_when_there_is_no_holder() public {
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.ZeroAddress.selector));
        entitlements.mintToken(address(0), AGENT, 1);
    }

    function test_reverts_when_the_duration_is_too_long() public {
        uint64 longest = type(uint32).max;
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.DurationTooLong.selector, longest + 1, longest));
        entitlements.mintToken(holder, AGENT, longest + 1);
    }

    function test_an_answer_may_be_longer_than_a_word() public {
        address wallet = address(new AnsweringWallet(abi.encode(ACCEPTED, "and more")));
        vm.prank(minter);
        entitlements.mintToken(wallet, AGENT, 1);
        vm.assertEq(entitlements.balanceOf(wallet, AGENT), 1);
    }

    function test_reverts_when_the_contract_cannot_receive() public {
        address[5] memory wallets = [
            address(new RefusingWallet()),
            address(new SilentWallet()),
            address(new AnsweringWallet(abi.encode(bytes4(0xdeadbeef)))),
            address(new AnsweringWallet(abi.encode(bytes4(0xffffffff)))),
            address(new AnsweringWallet(abi.encodePacked(ACCEPTED))) // 4 bytes are no word
        ];
        for (uint256 i = 0; i < wallets.length; ++i) {
            vm.prank(minter);
            vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.RecipientCannotReceive.selector, wallets[i]));
            entitlements.mintToken(wallets[i], AGENT, 1);
        }
    }
}
