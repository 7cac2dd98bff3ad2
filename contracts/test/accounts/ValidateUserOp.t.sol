// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";

import {AgentAccount} from "../../src/accounts/AgentAccount.sol";
import {AccountFixture} from "../support/AccountFixture.sol";

contract ValidateUserOpTest is AccountFixture {
    function test_what_the_owner_signed_is_done_and_paid_for() public {
        handle(signedBy(OWNER_KEY, operation(account, taking(4))));
        vm.assertEq(target.received(), 4);
        vm.assertTrue(beneficiary.balance > 0);
        vm.assertEq(entryPoint.getNonce(address(account), 0), 1);
    }

    function test_what_the_passkey_signed_is_done() public {
        handle(signedByPasskey(PASSKEY, operation(passkeyAccount, taking(4))));
        vm.assertEq(target.received(), 4);
    }

    function test_a_failing_call_is_paid_for_and_changes_nothing() public {
        PackedUserOperation memory op = operation(account, taking(100 ether));
        handle(signedBy(OWNER_KEY, op));
        vm.assertEq(target.calls(), 0);
        vm.assertEq(entryPoint.getNonce(address(account), 0), 1);
        vm.assertTrue(beneficiary.balance > 0);
    }

    function test_reverts_when_anybody_else_signed() public {
        expectRefused(signedBy(STRANGER_KEY, operation(account, taking(1))), "AA24 signature error");
        expectRefused(signedByPasskey(0x0DD, operation(passkeyAccount, taking(1))), "AA24 signature error");
    }

    function test_reverts_when_anything_was_changed_after_signing() public {
        PackedUserOperation memory op = signedBy(OWNER_KEY, operation(account, taking(1)));
        op.callData = taking(2);
        expectRefused(op, "AA24 signature error");
        op = signedByPasskey(PASSKEY, operation(passkeyAccount, taking(1)));
        op.preVerificationGas += 1;
        expectRefused(op, "AA24 signature error");
    }

    function test_reverts_when_it_was_done_before() public {
        PackedUserOperation memory op = signedBy(OWNER_KEY, operation(account, taking(1)));
        handle(op);
        expectRefused(op, "AA25 invalid account nonce");
    }

    function test_reverts_when_it_was_signed_for_another_account_of_the_owner() public {
        AgentAccount other = AgentAccount(payable(factory.createAccount(owner, 1)));
        vm.deal(address(other), 1 ether);
        PackedUserOperation memory op = signedBy(OWNER_KEY, operation(account, taking(1)));
        op.sender = address(other);
        expectRefused(op, "AA24 signature error");
    }

    function test_reverts_when_the_person_was_not_verified() public {
        PackedUserOperation memory op = operation(passkeyAccount, taking(1));
        op.signature = assertion(PASSKEY, entryPoint.getUserOpHash(op), 0x01);
        expectRefused(op, "AA24 signature error");
    }

    function test_reverts_when_the_signature_is_no_assertion() public {
        PackedUserOperation memory op = operation(passkeyAccount, taking(1));
        op.signature = hex"1234";
        expectRefused(op, "AA24 signature error");
        op.signature = new bytes(600);
        expectRefused(op, "AA24 signature error");
    }

    function test_reverts_when_the_account_cannot_pay() public {
        vm.deal(address(account), 0);
        expectRefused(signedBy(OWNER_KEY, operation(account, taking(0))), "AA21 didn't pay prefund");
    }

    function test_reverts_when_another_than_the_entry_point_asks() public {
        PackedUserOperation memory op = signedBy(OWNER_KEY, operation(account, taking(1)));
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, owner));
        account.validateUserOp(op, bytes32(0), 1 ether);
    }
}
