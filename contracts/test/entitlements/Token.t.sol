// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {EntitlementsFixture} from "../support/EntitlementsFixture.sol";

/// @dev What the contract is as an ERC-1155, and who may change it.
contract TokenTest is EntitlementsFixture {
    function expectNotTransferable(address sender) internal {
        vm.prank(sender);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.NotTransferable.selector));
    }

    function test_supports_its_interfaces() public view {
        vm.assertTrue(entitlements.supportsInterface(0x01ffc9a7)); // ERC-165
        vm.assertTrue(entitlements.supportsInterface(0xd9b67a26)); // ERC-1155
        vm.assertTrue(entitlements.supportsInterface(0x0e89341c)); // ERC-1155 metadata
        vm.assertFalse(entitlements.supportsInterface(0xffffffff));
        vm.assertFalse(entitlements.supportsInterface(0x80ac58cd)); // ERC-721
    }

    function test_reverts_when_transferred() public {
        mint(30 days);
        expectNotTransferable(holder);
        entitlements.safeTransferFrom(holder, stranger, AGENT, 1, "");
        expectNotTransferable(minter);
        entitlements.safeTransferFrom(holder, stranger, AGENT, 1, "");
    }

    function test_reverts_when_transferred_in_a_batch() public {
        mint(30 days);
        uint256[] memory one = new uint256[](1);
        one[0] = 1;
        expectNotTransferable(holder);
        entitlements.safeBatchTransferFrom(holder, stranger, one, one, "");
    }

    function test_reverts_when_an_operator_is_approved() public {
        expectNotTransferable(holder);
        entitlements.setApprovalForAll(stranger, true);
    }

    function test_nobody_is_approved() public view {
        bool approved = entitlements.isApprovedForAll(holder, stranger);
        vm.assertFalse(approved);
    }

    function test_balances_in_a_batch() public {
        mint(30 days);
        address[] memory accounts = new address[](3);
        uint256[] memory ids = new uint256[](3);
        (accounts[0], accounts[1], accounts[2]) = (holder, holder, stranger);
        (ids[0], ids[1], ids[2]) = (AGENT, AGENT + 1, AGENT);

        uint256[] memory balances = entitlements.balanceOfBatch(accounts, ids);

        vm.assertEq(balances.length, 3);
        vm.assertEq(balances[0], 1);
        vm.assertEq(balances[1], 0);
        vm.assertEq(balances[2], 0);
    }

    function test_reverts_when_a_batch_is_uneven() public {
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.LengthMismatch.selector, uint256(2), uint256(3)));
        entitlements.balanceOfBatch(new address[](2), new uint256[](3));
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.LengthMismatch.selector, uint256(3), uint256(2)));
        entitlements.balanceOfBatch(new address[](3), new uint256[](2));
    }

    // ---------------------------------------------------------------- metadata

    function test_each_agent_has_its_own_uri() public {
        vm.prank(minter);
        vm.expectEmit(address(entitlements));
        emit IERC1155.URI("https://example.org/agents/7.json", AGENT);
        entitlements.setTokenURI(AGENT, "https://example.org/agents/7.json");

        vm.assertEq(entitlements.uri(AGENT), "https://example.org/agents/7.json");
        vm.assertEq(entitlements.uri(AGENT + 1), "");
    }

    function test_reverts_when_the_uri_is_set_by_no_minter() public {
        expectNotMinter(owner);
        entitlements.setTokenURI(AGENT, "x");
    }

    // ---------------------------------------------------------------- minters and owner

    function test_the_owner_names_and_removes_minters() public {
        vm.startPrank(owner);
        vm.expectEmit(address(entitlements));
        emit AgentNexusEntitlements.MinterChanged(stranger, true);
        entitlements.setMinter(stranger, true);
        vm.assertTrue(entitlements.isMinter(stranger));
        vm.expectEmit(address(entitlements));
        emit AgentNexusEntitlements.MinterChanged(stranger, false);
        entitlements.setMinter(stranger, false);
        vm.assertFalse(entitlements.isMinter(stranger));
    }

    function test_reverts_when_the_minter_is_zero() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.ZeroAddress.selector));
        entitlements.setMinter(address(0), true);
    }

    function test_reverts_when_the_caller_is_not_the_owner() public {
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, minter));
        entitlements.setMinter(stranger, true);
        vm.prank(minter);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, minter));
        entitlements.renounceOwnership();
    }

    function test_reverts_when_the_owner_would_renounce() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.RenouncingDisabled.selector));
        entitlements.renounceOwnership();
    }

    function test_ownership_moves_in_two_steps() public {
        vm.prank(owner);
        entitlements.transferOwnership(stranger);
        vm.assertEq(entitlements.owner(), owner);
        vm.prank(stranger);
        entitlements.acceptOwnership();
        vm.assertEq(entitlements.owner(), stranger);
    }

    function test_reverts_when_created_without_an_owner() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new AgentNexusEntitlements(address(0));
    }
}
