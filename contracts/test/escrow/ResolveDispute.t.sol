// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {Quote} from "../../src/Quotes.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

contract ResolveDisputeTest is EscrowFixture {
    function disputed() internal returns (bytes32 id) {
        id = depositEther();
        dispute(id);
    }

    function resolve(bytes32 id, uint16 refundBps) internal {
        vm.prank(arbiter);
        escrow.resolveDispute(id, refundBps, "decision");
    }

    function expectRefused(address sender, bytes32 id, uint16 refundBps, bytes memory reason) internal {
        vm.prank(sender);
        vm.expectRevert(reason);
        escrow.resolveDispute(id, refundBps, "decision");
    }

    function expectWrongStatus(bytes32 id, AgentNexusEscrow.Status status) internal {
        expectRefused(arbiter, id, 0, abi.encodeWithSelector(AgentNexusEscrow.WrongStatus.selector, id, status));
    }

    function test_all_for_the_payer_takes_the_access_back() public {
        bytes32 id = disputed();

        resolve(id, 10_000);

        vm.assertEq(escrow.withdrawable(address(0), buyer), PRICE);
        vm.assertEq(escrow.withdrawable(address(0), creator), 0);
        vm.assertEq(escrow.withdrawable(address(0), feeRecipient), 0);
        vm.assertFalse(entitlements.hasValidToken(buyer, AGENT));
        assertStatus(id, AgentNexusEscrow.Status.Resolved);
    }

    function test_all_for_the_creator_leaves_the_access() public {
        bytes32 id = disputed();

        resolve(id, 0);

        vm.assertEq(escrow.withdrawable(address(0), buyer), 0);
        vm.assertEq(escrow.withdrawable(address(0), creator), PRICE - fee(PRICE));
        vm.assertEq(escrow.withdrawable(address(0), feeRecipient), fee(PRICE));
        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
    }

    function test_a_share_for_each_leaves_the_access_and_takes_the_fee_of_the_creator_only() public {
        bytes32 id = disputed();

        resolve(id, 4000);

        uint256 refund = PRICE * 4 / 10;
        vm.assertEq(escrow.withdrawable(address(0), buyer), refund);
        vm.assertEq(escrow.withdrawable(address(0), creator), PRICE - refund - fee(PRICE - refund));
        vm.assertEq(escrow.withdrawable(address(0), feeRecipient), fee(PRICE - refund));
        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
    }

    function test_the_decision_is_announced() public {
        bytes32 id = disputed();

        vm.prank(arbiter);
        vm.expectEmit(address(escrow));
        emit AgentNexusEscrow.DisputeResolved(id, PRICE / 2, PRICE / 2 - fee(PRICE / 2), fee(PRICE / 2), "decision");
        escrow.resolveDispute(id, 5000, "decision");
    }

    function test_a_decision_is_possible_at_once_and_until_expiry() public {
        bytes32 first = disputed();
        resolve(first, 1);

        bytes32 second = disputed();
        vm.warp(expiresAtOf(second) - 1);
        resolve(second, 1);

        assertStatus(second, AgentNexusEscrow.Status.Resolved);
    }

    function test_a_new_arbiter_decides_old_disputes() public {
        bytes32 id = disputed();
        vm.prank(owner);
        escrow.setArbiter(friend);
        expectRefused(arbiter, id, 0, abi.encodeWithSelector(AgentNexusEscrow.NotArbiter.selector, arbiter, friend));
        vm.prank(friend);
        escrow.resolveDispute(id, 0, "decision");
        assertStatus(id, AgentNexusEscrow.Status.Resolved);
    }

    function test_works_while_paused() public {
        bytes32 id = disputed();
        vm.prank(owner);
        escrow.pause();

        resolve(id, 0);

        assertStatus(id, AgentNexusEscrow.Status.Resolved);
    }

    function testFuzz_the_shares_are_the_amount(uint256 amount, uint16 refundBps, uint16 feeBps) public {
        Quote memory quote = etherQuote();
        quote.amount = bound(amount, 1, escrow.MAX_AMOUNT());
        refundBps = uint16(bound(refundBps, 0, 10_000));
        feeBps = uint16(bound(feeBps, 0, 1000));
        vm.deal(buyer, quote.amount);
        vm.prank(owner);
        escrow.setPlatformFee(feeBps);
        bytes32 id = deposit(quote);
        dispute(id);

        resolve(id, refundBps);

        uint256 refund = escrow.withdrawable(address(0), buyer);
        uint256 feeAmount = escrow.withdrawable(address(0), feeRecipient);
        vm.assertEq(refund, quote.amount * refundBps / 10_000);
        vm.assertEq(feeAmount, (quote.amount - refund) * feeBps / 10_000);
        vm.assertEq(escrow.withdrawable(address(0), creator), quote.amount - refund - feeAmount);
    }

    function test_reverts_when_the_caller_is_not_the_arbiter() public {
        bytes32 id = disputed();
        address[4] memory others = [buyer, creator, owner, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            expectRefused(
                others[i], id, 0, abi.encodeWithSelector(AgentNexusEscrow.NotArbiter.selector, others[i], arbiter)
            );
        }
    }

    function test_reverts_when_the_share_is_more_than_all() public {
        bytes32 id = disputed();
        expectRefused(
            arbiter,
            id,
            10_001,
            abi.encodeWithSelector(AgentNexusEscrow.RefundShareTooHigh.selector, uint16(10_001), uint16(10_000))
        );
    }

    function test_reverts_when_expired() public {
        bytes32 id = disputed();
        uint64 expiresAt = expiresAtOf(id);
        vm.warp(expiresAt);
        expectRefused(
            arbiter, id, 0, abi.encodeWithSelector(AgentNexusEscrow.ResolutionOver.selector, id, expiresAt, expiresAt)
        );
        vm.warp(expiresAt + 5);
        expectRefused(
            arbiter,
            id,
            0,
            abi.encodeWithSelector(AgentNexusEscrow.ResolutionOver.selector, id, expiresAt, expiresAt + 5)
        );
    }

    function test_reverts_when_not_disputed() public {
        expectWrongStatus(bytes32("nothing"), AgentNexusEscrow.Status.None);
        bytes32 id = depositEther();
        expectWrongStatus(id, AgentNexusEscrow.Status.Held);
        vm.prank(buyer);
        escrow.releasePayment(id);
        expectWrongStatus(id, AgentNexusEscrow.Status.Released);
    }

    function test_reverts_when_resolved() public {
        bytes32 id = disputed();
        resolve(id, 0);
        expectWrongStatus(id, AgentNexusEscrow.Status.Resolved);
    }

    function test_reverts_when_refunded() public {
        bytes32 id = disputed();
        vm.prank(creator);
        escrow.refundPayment(id);
        expectWrongStatus(id, AgentNexusEscrow.Status.Refunded);
    }
}
