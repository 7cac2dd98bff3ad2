// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Account} from "@openzeppelin/contracts/account/Account.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AccountFixture, Target} from "../support/AccountFixture.sol";

contract ExecuteBatchTest is AccountFixture {
    function calls(uint256 count) internal view returns (AccountCore.Call[] memory batch) {
        batch = new AccountCore.Call[](count);
        for (uint256 i = 0; i < count; ++i) {
            batch[i] = AccountCore.Call(address(target), i + 1, abi.encodeCall(Target.take, ()));
        }
    }

    function test_every_call_is_made_in_order() public {
        vm.prank(owner);
        account.executeBatch(calls(3));
        vm.assertEq(target.calls(), 3);
        vm.assertEq(target.received(), 6);
        vm.assertEq(target.last(), 3);
    }

    function test_the_entry_point_and_the_account_itself_may() public {
        vm.prank(address(entryPoint));
        passkeyAccount.executeBatch(calls(1));
        vm.prank(address(passkeyAccount));
        passkeyAccount.executeBatch(calls(2));
        vm.assertEq(target.calls(), 3);
    }

    function test_what_was_sent_along_can_be_passed_on() public {
        AccountCore.Call[] memory batch = calls(1);
        batch[0].value = 3 ether;
        vm.deal(owner, 2 ether);
        vm.prank(owner);
        account.executeBatch{value: 2 ether}(batch);
        vm.assertEq(target.received(), 3 ether);
    }

    function test_reverts_as_a_whole_when_one_call_fails() public {
        AccountCore.Call[] memory batch = calls(3);
        batch[1].data = abi.encodeCall(Target.refuse, ());
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(Target.Refused.selector, 2));
        account.executeBatch(batch);
        vm.assertEq(target.calls(), 0);
    }

    function test_reverts_naming_the_call_that_failed_without_a_reason() public {
        AccountCore.Call[] memory batch = calls(3);
        batch[2].data = abi.encodeCall(Target.refuseSilently, ());
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(AccountCore.CallFailed.selector, 2, address(target)));
        account.executeBatch(batch);
    }

    /// @dev The answer of the call before is no reason for the failure of this one.
    function test_reverts_naming_the_call_there_is_not_enough_ether_for() public {
        AccountCore.Call[] memory batch = calls(2);
        batch[1].value = 1 ether;
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(AccountCore.CallFailed.selector, 1, address(target)));
        account.executeBatch(batch);
        vm.assertEq(target.calls(), 0);
    }

    function test_reverts_when_there_is_nothing_to_do() public {
        vm.prank(owner);
        vm.expectRevert(AccountCore.NothingToDo.selector);
        account.executeBatch(calls(0));
    }

    function test_reverts_when_anybody_else_calls() public {
        AccountCore.Call[] memory batch = calls(1);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, stranger));
        account.executeBatch(batch);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, owner));
        passkeyAccount.executeBatch(batch);
    }
}
