// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Paymaster} from "@openzeppelin/contracts/account/paymaster/Paymaster.sol";
import {IPaymaster, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";

import {SponsorPaymaster} from "../../src/accounts/SponsorPaymaster.sol";
import {PaymasterFixture} from "../support/PaymasterFixture.sol";

contract SponsorTest is PaymasterFixture {
    function free(PackedUserOperation memory op) internal view returns (PackedUserOperation memory) {
        return signedBy(OWNER_KEY, sponsored(op));
    }

    function test_pays_for_what_the_sponsor_signed_and_nothing_more() public {
        handle(free(operation(account, taking(0))));
        vm.assertEq(target.calls(), 1);
        vm.assertEq(address(account).balance, 0);
        vm.assertTrue(beneficiary.balance > 0);
        vm.assertEq(entryPoint.balanceOf(address(paymaster)), DEPOSIT - beneficiary.balance);
    }

    function test_pays_gas_and_never_the_value_of_a_call() public {
        handle(free(operation(account, taking(1))));
        vm.assertEq(target.calls(), 0);
        vm.assertEq(entryPoint.balanceOf(address(paymaster)), DEPOSIT - beneficiary.balance);
    }

    function test_reverts_when_somebody_else_signed() public {
        PackedUserOperation memory op = sponsored(STRANGER_KEY, operation(account, taking(0)), 0, later());
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
    }

    function test_reverts_when_the_owner_of_the_account_did_not_sign() public {
        expectRefused(signedBy(SPONSOR_KEY, sponsored(operation(account, taking(0)))), "AA24 signature error");
    }

    function test_reverts_when_the_operation_was_changed() public {
        PackedUserOperation memory op = sponsored(operation(account, taking(0)));
        op.callData = taking(1);
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
        op = sponsored(operation(account, taking(0)));
        op.gasFees = bytes32(abi.encodePacked(uint128(2), uint128(2 gwei)));
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
        op = sponsored(operation(account, taking(0)));
        op.preVerificationGas += 1;
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
    }

    function test_reverts_when_it_was_used_before() public {
        PackedUserOperation memory op = free(operation(account, taking(0)));
        handle(op);
        expectRefused(op, "AA25 invalid account nonce");
    }

    function test_reverts_when_its_time_is_over_or_not_yet_there() public {
        PackedUserOperation memory op = free(operation(account, taking(0)));
        vm.warp(block.timestamp + 601);
        expectRefused(op, "AA32 paymaster expired or not due");
        op = sponsored(SPONSOR_KEY, operation(account, taking(0)), uint48(block.timestamp + 1), later());
        expectRefused(signedBy(OWNER_KEY, op), "AA32 paymaster expired or not due");
    }

    function test_reverts_when_its_time_was_changed() public {
        PackedUserOperation memory op = operation(account, taking(0));
        bytes memory signature = ecdsa(SPONSOR_KEY, sponsorship(op, 0, later()));
        op.paymasterAndData =
            abi.encodePacked(address(paymaster), VERIFICATION_GAS, POST_OP_GAS, uint48(0), later() + 1, signature);
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
    }

    function test_reverts_when_it_was_signed_for_another_chain() public {
        PackedUserOperation memory op = sponsored(operation(account, taking(0)));
        vm.chainId(block.chainid + 1);
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
    }

    function test_reverts_when_it_was_signed_for_another_paymaster_of_the_sponsor() public {
        SponsorPaymaster other = new SponsorPaymaster(admin, vm.addr(SPONSOR_KEY));
        other.deposit{value: 1 ether}();
        PackedUserOperation memory op = operation(account, taking(0));
        bytes memory signature = ecdsa(SPONSOR_KEY, sponsorship(op, 0, later()));
        op.paymasterAndData =
            abi.encodePacked(address(other), VERIFICATION_GAS, POST_OP_GAS, uint48(0), later(), signature);
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
    }

    function test_reverts_when_there_is_no_signature() public {
        PackedUserOperation memory op = operation(account, taking(0));
        op.paymasterAndData = abi.encodePacked(address(paymaster), VERIFICATION_GAS, POST_OP_GAS);
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
    }

    function test_reverts_when_the_deposit_is_too_small() public {
        vm.prank(admin);
        paymaster.withdraw(beneficiary, DEPOSIT - 1);
        expectRefused(free(operation(account, taking(0))), "AA31 paymaster deposit too low");
    }

    function test_reverts_when_another_than_the_entry_point_asks() public {
        PackedUserOperation memory op = sponsored(operation(account, taking(0)));
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Paymaster.PaymasterUnauthorized.selector, stranger));
        paymaster.validatePaymasterUserOp(op, bytes32(0), 1);
        vm.expectRevert(abi.encodeWithSelector(Paymaster.PaymasterUnauthorized.selector, stranger));
        paymaster.postOp(IPaymaster.PostOpMode.opSucceeded, "", 1, 1);
        vm.stopPrank();
    }

    /// @dev Whatever is changed in a sponsor's signature, it counts no longer.
    function testFuzz_reverts_when_the_signature_was_changed(uint256 bit) public {
        PackedUserOperation memory op = sponsored(operation(account, taking(0)));
        bit = bound(bit, (op.paymasterAndData.length - 65) * 8, op.paymasterAndData.length * 8 - 1);
        op.paymasterAndData[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
    }
}
