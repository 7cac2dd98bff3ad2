// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {SponsorPaymaster} from "../../src/accounts/SponsorPaymaster.sol";
import {PaymasterFixture} from "../support/PaymasterFixture.sol";

contract PaymasterSettingsTest is PaymasterFixture {
    function test_has_the_owner_the_sponsor_and_the_entry_point_it_was_made_with() public view {
        vm.assertEq(paymaster.owner(), admin);
        vm.assertEq(paymaster.signer(), vm.addr(SPONSOR_KEY));
        vm.assertEq(address(paymaster.entryPoint()), address(entryPoint));
    }

    function test_another_sponsor_signs_after_the_change() public {
        vm.prank(admin);
        vm.expectEmit(address(paymaster));
        emit SponsorPaymaster.SponsorChanged(stranger);
        paymaster.setSponsor(stranger);
        vm.assertEq(paymaster.signer(), stranger);
        expectRefused(signedBy(OWNER_KEY, sponsored(operation(account, taking(0)))), "AA34 signature error");
        handle(signedBy(OWNER_KEY, sponsored(STRANGER_KEY, operation(account, taking(0)), 0, later())));
        vm.assertEq(target.calls(), 1);
    }

    function test_a_new_owner_takes_over_by_accepting() public {
        vm.prank(admin);
        paymaster.transferOwnership(owner);
        vm.assertEq(paymaster.owner(), admin);
        vm.prank(owner);
        paymaster.acceptOwnership();
        vm.assertEq(paymaster.owner(), owner);
    }

    function test_reverts_when_others_name_a_sponsor() public {
        bytes memory refusal = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(refusal);
        paymaster.setSponsor(stranger);
        vm.expectRevert(refusal);
        paymaster.renounceOwnership();
        vm.stopPrank();
    }

    function test_reverts_when_the_owner_renounces() public {
        vm.prank(admin);
        vm.expectRevert(SponsorPaymaster.RenouncingDisabled.selector);
        paymaster.renounceOwnership();
    }

    function test_reverts_when_it_is_made_without_a_sponsor() public {
        vm.expectRevert(SponsorPaymaster.ZeroAddress.selector);
        new SponsorPaymaster(admin, address(0));
    }

    function test_reverts_when_there_would_be_no_sponsor_any_more() public {
        vm.prank(admin);
        vm.expectRevert(SponsorPaymaster.ZeroAddress.selector);
        paymaster.setSponsor(address(0));
    }

    function test_reverts_when_there_would_be_no_owner() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new SponsorPaymaster(address(0), stranger);
    }
}
