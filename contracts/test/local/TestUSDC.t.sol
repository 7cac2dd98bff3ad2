// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {TestUSDC} from "../../src/local/TestUSDC.sol";
import {TestBase} from "../support/TestBase.sol";
import {TokenSignatures} from "../support/TokenSignatures.sol";

contract TestUSDCTest is TestBase, TokenSignatures {
    uint256 internal constant KEY = 0xB0B;
    uint256 internal constant NOW = 1_800_000_000;
    address internal immutable holder = vm.addr(KEY);
    address internal immutable receiver = address(0x0222);
    TestUSDC internal usdc;

    function setUp() public {
        vm.warp(NOW);
        usdc = new TestUSDC();
        usdc.mint(holder, 100e6);
    }

    function packed(bytes32 hash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, hash);
        return abi.encodePacked(r, s, v);
    }

    function receiveFunds(uint256 validAfter, uint256 validBefore, bytes memory signature, bytes memory reason)
        internal
    {
        vm.prank(receiver);
        if (reason.length > 0) vm.expectRevert(reason);
        usdc.receiveWithAuthorization(holder, receiver, 5e6, validAfter, validBefore, "nonce", signature);
    }

    function authorization(uint256 validAfter, uint256 validBefore) internal view returns (bytes memory) {
        return packed(authorizationDigest(usdc, holder, receiver, 5e6, validAfter, validBefore, "nonce"));
    }

    function test_describes_itself_as_usdc() public view {
        vm.assertEq(usdc.name(), "USD Coin");
        vm.assertEq(usdc.symbol(), "USDC");
        vm.assertEq(usdc.decimals(), 6);
        vm.assertEq(usdc.version(), "2");
        vm.assertEq(
            usdc.DOMAIN_SEPARATOR(),
            keccak256(
                abi.encode(
                    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                    keccak256("USD Coin"),
                    keccak256("2"),
                    block.chainid,
                    address(usdc)
                )
            )
        );
    }

    function test_a_permit_approves_once() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, permitDigest(usdc, holder, receiver, 7e6, 0, NOW));
        usdc.permit(holder, receiver, 7e6, NOW, v, r, s);
        vm.assertEq(usdc.allowance(holder, receiver), 7e6);
        vm.assertEq(usdc.nonces(holder), 1);
        vm.expectRevert(abi.encodeWithSelector(TestUSDC.WrongSignature.selector, holder));
        usdc.permit(holder, receiver, 7e6, NOW, v, r, s);
    }

    function test_reverts_when_the_permit_has_expired() public {
        vm.expectRevert(abi.encodeWithSelector(TestUSDC.PermitExpired.selector, NOW - 1));
        usdc.permit(holder, receiver, 7e6, NOW - 1, 27, 0, 0);
    }

    function test_an_authorization_moves_money_once() public {
        bytes memory signature = authorization(NOW - 1, NOW + 1);
        vm.expectEmit(address(usdc));
        emit TestUSDC.AuthorizationUsed(holder, "nonce");
        receiveFunds(NOW - 1, NOW + 1, signature, "");
        vm.assertEq(usdc.balanceOf(receiver), 5e6);
        vm.assertTrue(usdc.authorizationState(holder, "nonce"));
        receiveFunds(
            NOW - 1,
            NOW + 1,
            signature,
            abi.encodeWithSelector(TestUSDC.AuthorizationUsedBefore.selector, holder, bytes32("nonce"))
        );
    }

    function test_reverts_when_the_authorization_is_not_valid_now() public {
        receiveFunds(
            NOW,
            NOW + 1,
            authorization(NOW, NOW + 1),
            abi.encodeWithSelector(TestUSDC.AuthorizationNotValidNow.selector, NOW, NOW + 1)
        );
        receiveFunds(
            NOW - 1,
            NOW,
            authorization(NOW - 1, NOW),
            abi.encodeWithSelector(TestUSDC.AuthorizationNotValidNow.selector, NOW - 1, NOW)
        );
    }

    function test_reverts_when_the_authorization_is_signed_by_another() public {
        receiveFunds(0, NOW + 1, "short", abi.encodeWithSelector(TestUSDC.WrongSignature.selector, holder));
    }

    function test_reverts_when_the_caller_is_not_the_receiver() public {
        vm.expectRevert(abi.encodeWithSelector(TestUSDC.CallerNotReceiver.selector, address(this), receiver));
        usdc.receiveWithAuthorization(holder, receiver, 5e6, 0, NOW + 1, "nonce", "");
    }
}
