// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Account} from "@openzeppelin/contracts/account/Account.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AccountFixture, Target} from "../support/AccountFixture.sol";

contract ExecuteTest is AccountFixture {
    function test_the_owner_calls_directly() public {
        vm.prank(owner);
        account.execute(address(target), 5, abi.encodeCall(Target.take, ()));

        vm.assertEq(target.received(), 5);
        vm.assertEq(target.caller(), address(account));
    }

    function test_the_entry_point_calls_for_the_owner() public {
        vm.prank(address(entryPoint));
        passkeyAccount.execute(address(target), 5, abi.encodeCall(Target.take, ()));
        vm.assertEq(target.received(), 5);
    }

    function test_the_account_calls_itself() public {
        vm.prank(address(account));
        account.execute(address(target), 0, abi.encodeCall(Target.take, ()));
        vm.assertEq(target.calls(), 1);
    }

    function test_reverts_with_the_reason_of_what_was_called() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(Target.Refused.selector, 2));
        account.execute(address(target), 2, abi.encodeCall(Target.refuse, ()));
    }

    function test_reverts_when_the_called_fails_without_a_reason() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(AccountCore.CallFailed.selector, 0, address(target)));
        account.execute(address(target), 0, abi.encodeCall(Target.refuseSilently, ()));
    }

    function test_reverts_when_anybody_else_calls() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, stranger));
        account.execute(address(target), 0, "");
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, owner));
        passkeyAccount.execute(address(target), 0, "");
    }
}
