// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {Quote} from "../../src/Quotes.sol";
import {RefusingWallet} from "../mocks/Receivers.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

contract ReleasePaymentTest is EscrowFixture {
    function releaseFrom(address sender, bytes32 id) internal {
        vm.prank(sender);
        escrow.releasePayment(id);
    }

    function expectRefused(address sender, bytes32 id, bytes memory reason) internal {
        vm.prank(sender);
        vm.expectRevert(reason);
        escrow.releasePayment(id);
    }

    function expectNotOpen(address sender, bytes32 id) internal {
        expectRefused(
            sender,
            id,
            abi.encodeWithSelector(
                AgentNexusEscrow.ReleaseNotOpen.selector,
                id,
                START + DISPUTE_WINDOW,
                START + DISPUTE_WINDOW + HOLD_PERIOD,
                block.timestamp
            )
        );
    }

    function expectWrongStatus(address sender, bytes32 id, AgentNexusEscrow.Status status) internal {
        expectRefused(sender, id, abi.encodeWithSelector(AgentNexusEscrow.WrongStatus.selector, id, status));
    }

    function test_the_buyer_may_release_at_once() public {
        bytes32 id = depositEther();

        releaseFrom(buyer, id);

        vm.assertEq(escrow.withdrawable(address(0), creator), PRICE - fee(PRICE));
        vm.assertEq(escrow.withdrawable(address(0), feeRecipient), fee(PRICE));
        assertStatus(id, AgentNexusEscrow.Status.Released);
        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
    }

    function test_anyone_may_release_from_the_end_of_the_dispute_window() public {
        bytes32 id = depositUsdc();
        vm.warp(releaseAfterOf(id));

        releaseFrom(stranger, id);

        vm.assertEq(escrow.withdrawable(address(usdc), creator), USDC_PRICE - fee(USDC_PRICE));
        vm.assertEq(escrow.withdrawable(address(usdc), feeRecipient), fee(USDC_PRICE));
    }

    function test_anyone_may_release_until_the_last_second_before_expiry() public {
        bytes32 id = depositEther();
        vm.warp(expiresAtOf(id) - 1);

        releaseFrom(stranger, id);

        assertStatus(id, AgentNexusEscrow.Status.Released);
    }

    function test_the_buyer_may_release_what_they_disputed() public {
        bytes32 id = depositEther();
        dispute(id);

        releaseFrom(buyer, id);

        assertStatus(id, AgentNexusEscrow.Status.Released);
    }

    function test_the_buyer_may_release_after_expiry() public {
        bytes32 id = depositEther();
        vm.warp(expiresAtOf(id) + 1000 days);

        releaseFrom(buyer, id);

        assertStatus(id, AgentNexusEscrow.Status.Released);
    }

    function test_the_release_is_announced() public {
        bytes32 id = depositEther();

        vm.prank(buyer);
        vm.expectEmit(address(escrow));
        emit AgentNexusEscrow.PaymentReleased(id, PRICE - fee(PRICE), fee(PRICE));
        escrow.releasePayment(id);
    }

    function test_the_fee_is_that_of_the_deposit() public {
        bytes32 id = depositEther();
        vm.prank(owner);
        escrow.setPlatformFee(1000);

        releaseFrom(buyer, id);

        vm.assertEq(escrow.withdrawable(address(0), feeRecipient), fee(PRICE));
    }

    function test_no_fee_credits_nobody() public {
        vm.prank(owner);
        escrow.setPlatformFee(0);
        bytes32 id = depositEther();

        releaseFrom(buyer, id);

        vm.assertEq(escrow.withdrawable(address(0), creator), PRICE);
        vm.assertEq(escrow.withdrawable(address(0), feeRecipient), 0);
    }

    function test_the_fee_is_rounded_for_the_creator() public {
        Quote memory quote = etherQuote();
        quote.amount = 39; // 2.5% is 0.975

        releaseFrom(buyer, deposit(quote));

        vm.assertEq(escrow.withdrawable(address(0), creator), 39);
    }

    function test_a_creator_that_refuses_ether_holds_nothing_up() public {
        Quote memory quote = etherQuote();
        quote.creator = address(new RefusingWallet());
        bytes32 id = deposit(quote);
        vm.warp(releaseAfterOf(id));

        releaseFrom(stranger, id);

        vm.assertEq(escrow.withdrawable(address(0), quote.creator), PRICE - fee(PRICE));
    }

    function test_works_while_paused() public {
        bytes32 id = depositEther();
        vm.prank(owner);
        escrow.pause();
        vm.warp(releaseAfterOf(id));

        releaseFrom(stranger, id);

        assertStatus(id, AgentNexusEscrow.Status.Released);
    }

    function testFuzz_fee_and_payout_are_the_amount(uint256 amount, uint16 feeBps) public {
        Quote memory quote = etherQuote();
        quote.amount = bound(amount, 1, escrow.MAX_AMOUNT());
        feeBps = uint16(bound(feeBps, 0, 1000));
        vm.deal(buyer, quote.amount);
        vm.prank(owner);
        escrow.setPlatformFee(feeBps);

        releaseFrom(buyer, deposit(quote));

        uint256 feeAmount = escrow.withdrawable(address(0), feeRecipient);
        vm.assertEq(feeAmount, quote.amount * feeBps / 10_000);
        vm.assertEq(escrow.withdrawable(address(0), creator), quote.amount - feeAmount);
    }

    function test_reverts_when_the_dispute_window_is_open() public {
        bytes32 id = depositEther();
        vm.warp(START + DISPUTE_WINDOW - 1);
        expectNotOpen(stranger, id);
        expectNotOpen(creator, id);
        expectNotOpen(owner, id);
    }

    function test_reverts_when_expired() public {
        bytes32 id = depositEther();
        vm.warp(START + DISPUTE_WINDOW + HOLD_PERIOD);
        expectNotOpen(stranger, id);
        expectNotOpen(creator, id);
        vm.warp(START + 1000 days);
        expectNotOpen(stranger, id);
    }

    function test_reverts_when_disputed() public {
        bytes32 id = depositEther();
        dispute(id);
        vm.warp(START + DISPUTE_WINDOW);
        expectWrongStatus(stranger, id, AgentNexusEscrow.Status.Disputed);
        expectWrongStatus(creator, id, AgentNexusEscrow.Status.Disputed);
    }

    function test_reverts_when_there_is_no_payment() public {
        expectWrongStatus(buyer, bytes32("nothing"), AgentNexusEscrow.Status.None);
    }

    function test_reverts_when_released() public {
        bytes32 id = depositEther();
        releaseFrom(buyer, id);
        expectWrongStatus(buyer, id, AgentNexusEscrow.Status.Released);
    }

    function test_reverts_when_refunded() public {
        bytes32 id = depositEther();
        vm.prank(creator);
        escrow.refundPayment(id);
        expectWrongStatus(buyer, id, AgentNexusEscrow.Status.Refunded);
    }

    function test_reverts_when_resolved() public {
        bytes32 id = depositEther();
        dispute(id);
        vm.prank(arbiter);
        escrow.resolveDispute(id, 0, "decision");
        expectWrongStatus(buyer, id, AgentNexusEscrow.Status.Resolved);
    }
}
