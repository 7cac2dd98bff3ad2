// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";

import {SponsorPaymaster} from "../../src/accounts/SponsorPaymaster.sol";
import {AccountFixture} from "./AccountFixture.sol";

/// @dev A paymaster with a deposit, and an account that could not pay for itself.
abstract contract PaymasterFixture is AccountFixture {
    uint256 internal constant SPONSOR_KEY = 0x5905;
    address internal constant admin = address(0xAD);
    uint128 internal constant VERIFICATION_GAS = 100_000;
    uint128 internal constant POST_OP_GAS = 1_000;
    uint256 internal constant DEPOSIT = 5 ether;
    SponsorPaymaster internal paymaster;

    function setUp() public virtual override {
        super.setUp();
        paymaster = new SponsorPaymaster(admin, vm.addr(SPONSOR_KEY));
        vm.deal(stranger, 10 ether);
        vm.prank(stranger);
        paymaster.deposit{value: DEPOSIT}();
        vm.deal(address(account), 0);
        vm.warp(1_800_000_000);
    }

    function later() internal view returns (uint48) {
        return uint48(block.timestamp + 600);
    }

    function sponsored(PackedUserOperation memory op) internal view returns (PackedUserOperation memory) {
        return sponsored(SPONSOR_KEY, op, 0, later());
    }

    function sponsored(uint256 key, PackedUserOperation memory op, uint48 validAfter, uint48 validUntil)
        internal
        view
        returns (PackedUserOperation memory)
    {
        bytes memory signature = ecdsa(key, sponsorship(op, validAfter, validUntil));
        op.paymasterAndData =
            abi.encodePacked(address(paymaster), VERIFICATION_GAS, POST_OP_GAS, validAfter, validUntil, signature);
        return op;
    }

    /// @dev The EIP-712 digest a sponsor signs.
    function sponsorship(PackedUserOperation memory op, uint48 validAfter, uint48 validUntil)
        internal
        view
        returns (bytes32)
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
        return keccak256(abi.encodePacked("\x19\x01", domain, request));
    }
}
