// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {AgentAccount} from "../../src/accounts/AgentAccount.sol";
import {AgentPasskeyAccount} from "../../src/accounts/AgentPasskeyAccount.sol";
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

    function test_reverts_when_it_was_signed_for_another_account_of_the_passkey() public {
        AgentPasskeyAccount other = asPasskeyAccount(factory.createPasskeyAccount(x, y, 1));
        vm.deal(address(other), 1 ether);
        PackedUserOperation memory op = signedByPasskey(PASSKEY, operation(passkeyAccount, taking(1)));
        op.sender = address(other);
        expectRefused(op, "AA24 signature error");
    }

    function test_reverts_when_it_was_signed_for_another_chain() public {
        PackedUserOperation memory op = signedBy(OWNER_KEY, operation(account, taking(1)));
        PackedUserOperation memory byPasskey = signedByPasskey(PASSKEY, operation(passkeyAccount, taking(1)));
        vm.chainId(block.chainid + 1);
        expectRefused(op, "AA24 signature error");
        expectRefused(byPasskey, "AA24 signature error");
    }

    /// @dev Of a hash that was signed as it is, as for a transaction, nothing follows.
    function test_reverts_when_the_owner_signed_the_bare_hash() public {
        PackedUserOperation memory op = operation(account, taking(1));
        op.signature = ecdsa(OWNER_KEY, entryPoint.getUserOpHash(op));
        expectRefused(op, "AA24 signature error");
    }

    function test_reverts_when_the_signature_is_in_its_second_spelling() public {
        PackedUserOperation memory op = operation(account, taking(1));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(OWNER_KEY, MessageHashUtils.toEthSignedMessageHash(entryPoint.getUserOpHash(op)));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        op.signature = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? 28 : 27);
        expectRefused(op, "AA24 signature error");
    }

    function testFuzz_reverts_when_a_bit_of_the_signature_was_changed(uint256 bit) public {
        PackedUserOperation memory op = signedBy(OWNER_KEY, operation(account, taking(1)));
        bit %= op.signature.length * 8;
        op.signature[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        expectRefused(op, "AA24 signature error");
    }

    function testFuzz_reverts_when_the_signature_is_nonsense(bytes calldata nonsense) public {
        PackedUserOperation memory op = operation(account, taking(1));
        op.signature = nonsense;
        expectRefused(op, "AA24 signature error");
    }

    /// @dev For whichever account, chain and place in line the owner signed, there alone it counts.
    function testFuzz_a_signature_serves_one_account_one_chain_one_nonce(uint8 salt, uint8 chain, uint8 key) public {
        PackedUserOperation memory op = operation(account, taking(1));
        PackedUserOperation memory signed = signedBy(OWNER_KEY, op);
        op.sender = factory.createAccount(owner, salt);
        vm.deal(op.sender, 1 ether);
        op.nonce = uint256(key) << 64;
        op.signature = signed.signature;
        uint256 here = block.chainid;
        vm.chainId(here + chain);
        if (salt == 0 && chain == 0 && key == 0) handle(op);
        else expectRefused(op, "AA24 signature error");
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

    function test_the_prefund_goes_to_the_entry_point() public {
        PackedUserOperation memory op = signedBy(OWNER_KEY, operation(account, taking(1)));
        uint256 before = address(entryPoint).balance;
        bytes32 hash = entryPoint.getUserOpHash(op);
        vm.prank(address(entryPoint));
        vm.assertEq(account.validateUserOp(op, hash, 0.5 ether), 0);
        vm.assertEq(address(account).balance, 0.5 ether);
        vm.assertEq(address(entryPoint).balance, before + 0.5 ether);
    }
}
