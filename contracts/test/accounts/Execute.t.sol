// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Account} from "@openzeppelin/contracts/account/Account.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AccountFixture, Target} from "../support/AccountFixture.sol";

/// @dev Tries to move the money of who calls it.
contract Thief {
    fallback() external payable {
        AccountCore(payable(msg.sender)).execute(address(this), msg.sender.balance, "");
    }
}

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

    function test_what_was_sent_along_can_be_passed_on() public {
        vm.deal(owner, 2 ether);
        vm.prank(owner);
        account.execute{value: 2 ether}(address(target), 3 ether, abi.encodeCall(Target.take, ()));
        vm.assertEq(target.received(), 3 ether);
        vm.assertEq(address(account).balance, 0);
    }

    function test_ether_goes_to_who_has_no_code() public {
        vm.prank(owner);
        account.execute(beneficiary, 1 ether, "");
        vm.assertEq(beneficiary.balance, 1 ether);
    }

    function test_reverts_when_there_is_not_enough_ether() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(AccountCore.CallFailed.selector, 0, address(target)));
        account.execute(address(target), 1 ether + 1, abi.encodeCall(Target.take, ()));
    }

    function test_reverts_when_what_was_called_calls_back() public {
        address thief = address(new Thief());
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, thief));
        account.execute(thief, 1, "");
        vm.assertEq(address(account).balance, 1 ether);
    }

    /// @dev Factory, implementation, beneficiary, the other account of the owner: nobody has a say.
    function testFuzz_reverts_when_anybody_else_calls(address anybody, uint256 pick) public {
        address[5] memory near = [
            address(factory),
            address(factory.walletImplementation()),
            beneficiary,
            address(passkeyAccount),
            factory.createAccount(owner, 1)
        ];
        if (pick % 2 == 0) anybody = near[pick / 2 % near.length];
        vm.assume(anybody != owner && anybody != address(account) && anybody != address(entryPoint));
        bytes memory refusal = abi.encodeWithSelector(Account.AccountUnauthorized.selector, anybody);
        vm.prank(anybody);
        vm.expectRevert(refusal);
        account.execute(anybody, 1, "");
        if (anybody == address(passkeyAccount)) return;
        vm.prank(anybody);
        vm.expectRevert(refusal);
        passkeyAccount.execute(anybody, 1, "");
    }
}
