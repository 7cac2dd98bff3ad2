// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Paymaster} from "@openzeppelin/contracts/account/paymaster/Paymaster.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";

import {SponsorPaymaster} from "../../src/accounts/SponsorPaymaster.sol";
import {AccountFixture} from "../support/AccountFixture.sol";

contract SponsorPaymasterTest is AccountFixture {
    uint256 internal constant SPONSOR_KEY = 0x5905;
    address internal constant admin = address(0xAD);
    uint128 internal constant VERIFICATION_GAS = 100_000;
    uint128 internal constant POST_OP_GAS = 1_000;
    SponsorPaymaster internal paymaster;

    function setUp() public override {
        super.setUp();
        paymaster = new SponsorPaymaster(admin, vm.addr(SPONSOR_KEY));
        vm.deal(stranger, 10 ether);
        vm.prank(stranger);
        paymaster.deposit{value: 5 ether}();
        vm.deal(address(account), 0);
        vm.warp(1_800_000_000);
    }

    function sponsored(uint256 key, PackedUserOperation memory op, uint48 validAfter, uint48 validUntil)
        internal
        view
        returns (PackedUserOperation memory)
    {
        bytes32 request = keccak256(
            abi.encode(
                keccak256(
                    "UserOperationRequest(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,uint256 paymasterVerificationGasLimit,uint256 paymasterPostOpGasLimit,uint48 validAfter,uint48 validUntil)"
                ),
                op.sender,
                op.nonce,
                keccak256(op.initCode),
                keccak256(op.callData),
                op.accountGasLimits,
                op.preVerificationGas,
                op.gasFees,
                uint256(VERIFICATION_GAS),
                uint256(POST_OP_GAS),
                validAfter,
                validUntil
            )
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("SponsorPaymaster"),
                keccak256("1"),
                block.chainid,
                address(paymaster)
            )
        );
        bytes memory signature = ecdsa(key, keccak256(abi.encodePacked("\x19\x01", domain, request)));
        op.paymasterAndData =
            abi.encodePacked(address(paymaster), VERIFICATION_GAS, POST_OP_GAS, validAfter, validUntil, signature);
        return op;
    }

    function sponsored(PackedUserOperation memory op) internal view returns (PackedUserOperation memory) {
        return sponsored(SPONSOR_KEY, op, 0, uint48(block.timestamp + 600));
    }

    function test_pays_for_what_the_sponsor_signed() public {
        handle(signedBy(OWNER_KEY, sponsored(operation(account, taking(0)))));
        vm.assertEq(target.calls(), 1);
        vm.assertEq(address(account).balance, 0);
        vm.assertTrue(entryPoint.balanceOf(address(paymaster)) < 5 ether);
    }

    function test_the_owner_takes_the_deposit_out() public {
        vm.prank(admin);
        paymaster.withdraw(beneficiary, 2 ether);
        vm.assertEq(beneficiary.balance, 2 ether);
        vm.assertEq(entryPoint.balanceOf(address(paymaster)), 3 ether);
    }

    function test_another_sponsor_signs_after_the_change() public {
        vm.prank(admin);
        vm.expectEmit(address(paymaster));
        emit SponsorPaymaster.SponsorChanged(stranger);
        paymaster.setSponsor(stranger);
        expectRefused(signedBy(OWNER_KEY, sponsored(operation(account, taking(0)))), "AA34 signature error");
        handle(
            signedBy(
                OWNER_KEY, sponsored(STRANGER_KEY, operation(account, taking(0)), 0, uint48(block.timestamp + 600))
            )
        );
        vm.assertEq(target.calls(), 1);
    }

    function test_reverts_when_somebody_else_signed() public {
        PackedUserOperation memory op =
            sponsored(STRANGER_KEY, operation(account, taking(0)), 0, uint48(block.timestamp + 600));
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
    }

    function test_reverts_when_the_operation_was_changed() public {
        PackedUserOperation memory op = sponsored(operation(account, taking(0)));
        op.callData = taking(1);
        expectRefused(signedBy(OWNER_KEY, op), "AA34 signature error");
    }

    function test_reverts_when_the_time_is_over() public {
        PackedUserOperation memory op = sponsored(operation(account, taking(0)));
        vm.warp(block.timestamp + 601);
        expectRefused(signedBy(OWNER_KEY, op), "AA32 paymaster expired or not due");
    }

    function test_reverts_when_others_manage_it() public {
        bytes memory refusal = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(refusal);
        paymaster.withdraw(beneficiary, 1);
        vm.expectRevert(refusal);
        paymaster.setSponsor(stranger);
        vm.stopPrank();
    }

    function test_reverts_when_there_would_be_no_sponsor() public {
        vm.expectRevert(SponsorPaymaster.ZeroAddress.selector);
        new SponsorPaymaster(admin, address(0));
        vm.prank(admin);
        vm.expectRevert(SponsorPaymaster.ZeroAddress.selector);
        paymaster.setSponsor(address(0));
    }

    function test_reverts_when_another_than_the_entry_point_asks() public {
        PackedUserOperation memory op = sponsored(operation(account, taking(0)));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Paymaster.PaymasterUnauthorized.selector, stranger));
        paymaster.validatePaymasterUserOp(op, bytes32(0), 1);
    }
}
