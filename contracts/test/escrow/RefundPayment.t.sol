// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {Quote} from "../../src/Quotes.sol";
import {RefusingWallet} from "../mocks/Receivers.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

contract RefundPaymentTest is EscrowFixture {
    function refundFrom(address sender, bytes32 id) internal {
        vm.prank(sender);
        escrow.refundPayment(id);
    }

    function expectRefused(address sender, bytes32 id, bytes memory reason) internal {
        vm.prank(sender);
        vm.expectRevert(reason);
        escrow.refundPayment(id);
    }

    function expectWrongStatus(bytes32 id, AgentNexusEscrow.Status status) internal {
        expectRefused(creator, id, abi.encodeWithSelector(AgentNexusEscrow.WrongStatus.selector, id, status));
    }

    // ---------------------------------------------------------------- money

    function test_the_creator_may_refund_at_once() public {
        bytes32 id = depositEther();

        refundFrom(creator, id);

        vm.assertEq(escrow.withdrawable(address(0), buyer), PRICE);
        vm.assertEq(escrow.withdrawable(address(0), creator), 0);
        vm.assertEq(escrow.withdrawable(address(0), feeRecipient), 0);
        assertStatus(id, AgentNexusEscrow.Status.Refunded);
        vm.assertFalse(entitlements.hasValidToken(buyer, AGENT));
    }

    function test_the_creator_may_refund_what_is_disputed() public {
        bytes32 id = depositUsdc();
        dispute(id);

        refundFrom(creator, id);

        vm.assertEq(escrow.withdrawable(address(usdc), buyer), USDC_PRICE);
    }

    function test_anyone_may_refund_from_expiry() public {
        bytes32 id = depositUsdc();
        vm.warp(expiresAtOf(id));

        refundFrom(stranger, id);

        vm.assertEq(escrow.withdrawable(address(usdc), buyer), USDC_PRICE);
        vm.assertEq(escrow.withdrawable(address(usdc), stranger), 0);
    }

    function test_anyone_may_refund_an_undecided_dispute_from_expiry() public {
        bytes32 id = depositEther();
        dispute(id);
        vm.warp(expiresAtOf(id));

        refundFrom(stranger, id);

        vm.assertEq(escrow.withdrawable(address(0), buyer), PRICE);
    }

    function test_a_gift_is_refunded_to_who_paid() public {
        Quote memory quote = etherQuote();
        quote.recipient = friend;
        bytes32 id = deposit(quote);

        refundFrom(creator, id);

        vm.assertEq(escrow.withdrawable(address(0), buyer), PRICE);
        vm.assertEq(escrow.withdrawable(address(0), friend), 0);
        vm.assertFalse(entitlements.hasValidToken(friend, AGENT));
    }

    function test_the_refund_is_announced() public {
        bytes32 id = depositEther();

        vm.prank(creator);
        vm.expectEmit(address(escrow));
        emit AgentNexusEscrow.PaymentRefunded(id, PRICE);
        escrow.refundPayment(id);
    }

    function test_works_while_paused() public {
        bytes32 id = depositEther();
        vm.prank(owner);
        escrow.pause();

        refundFrom(creator, id);

        assertStatus(id, AgentNexusEscrow.Status.Refunded);
    }

    function test_works_when_the_token_is_no_longer_supported() public {
        bytes32 id = depositUsdc();
        vm.prank(owner);
        escrow.setTokenSupported(address(usdc), false);

        refundFrom(creator, id);
        escrow.withdraw(address(usdc), buyer);

        vm.assertEq(usdc.balanceOf(address(escrow)), 0);
    }

    function test_a_payer_that_refuses_ether_holds_nothing_up() public {
        RefusingWallet wallet = new RefusingWallet();
        vm.deal(address(wallet), PRICE);
        Quote memory quote = etherQuote();
        quote.buyer = address(wallet);
        bytes32 id = depositFrom(address(wallet), quote);

        refundFrom(creator, id);

        vm.assertEq(escrow.withdrawable(address(0), address(wallet)), PRICE);
    }

    function testFuzz_the_payer_gets_the_whole_amount(uint256 amount, uint256 wait) public {
        Quote memory quote = etherQuote();
        quote.amount = bound(amount, 1, escrow.MAX_AMOUNT());
        vm.deal(buyer, quote.amount);
        bytes32 id = deposit(quote);
        vm.warp(bound(wait, expiresAtOf(id), expiresAtOf(id) + 1000 days));

        refundFrom(stranger, id);
        escrow.withdraw(address(0), buyer);

        vm.assertEq(buyer.balance, quote.amount);
        vm.assertEq(address(escrow).balance, 0);
    }

    // ---------------------------------------------------------------- access

    function test_only_the_access_of_this_payment_is_taken_back() public {
        depositEther();
        vm.warp(START + 1 days);
        bytes32 second = depositEther();

        refundFrom(creator, second);

        vm.assertEq(entitlements.expiresAt(buyer, AGENT), START + ACCESS);
    }

    function test_the_second_purchase_keeps_its_whole_time_when_the_first_is_refunded() public {
        bytes32 first = depositEther();
        vm.warp(START + 12 days);
        depositEther();

        refundFrom(creator, first);

        vm.assertEq(entitlements.expiresAt(buyer, AGENT), START + 12 days + ACCESS);
    }

    function test_access_that_ran_out_is_not_taken_from_a_later_purchase() public {
        Quote memory quote = etherQuote();
        quote.accessDuration = 1 days;
        bytes32 first = deposit(quote);
        vm.warp(START + 2 days);
        depositEther();

        refundFrom(creator, first);

        vm.assertEq(entitlements.expiresAt(buyer, AGENT), START + 2 days + ACCESS);
    }

    function test_nobody_is_asked_for_access_that_ran_out() public {
        Quote memory quote = etherQuote();
        quote.accessDuration = DISPUTE_WINDOW + HOLD_PERIOD;
        bytes32 first = deposit(quote);
        quote = etherQuote();
        quote.accessDuration = 0;
        quote.recipient = friend;
        bytes32 forLife = deposit(quote);
        vm.warp(START + DISPUTE_WINDOW + HOLD_PERIOD);
        vm.expectCall(address(entitlements), abi.encodePacked(entitlements.takeBackToken.selector), 1);

        refundFrom(stranger, first); // in the second in which its access ends
        vm.warp(block.timestamp + 1 days);
        refundFrom(stranger, forLife); // the one call
    }

    function test_nobody_is_asked_long_after_the_access_ran_out() public {
        Quote memory quote = etherQuote();
        quote.accessDuration = 1 days;
        bytes32 id = deposit(quote);
        vm.warp(START + 1000 days);
        vm.expectCall(address(entitlements), abi.encodePacked(entitlements.takeBackToken.selector), 0);

        refundFrom(stranger, id);

        vm.assertEq(escrow.withdrawable(address(0), buyer), PRICE);
    }

    function test_access_that_begins_beyond_32_bits_of_time() public {
        Quote memory quote = etherQuote();
        quote.accessDuration = type(uint32).max;
        deposit(quote);
        bytes32 later = depositEther();

        refundFrom(creator, later);

        vm.assertEq(entitlements.expiresAt(buyer, AGENT), uint64(START) + type(uint32).max);
    }

    function test_access_for_life_gives_way_to_what_was_there_before() public {
        depositEther();
        Quote memory quote = etherQuote();
        quote.accessDuration = 0;
        bytes32 forLife = deposit(quote);
        vm.assertEq(entitlements.expiresAt(buyer, AGENT), LIFETIME);

        refundFrom(creator, forLife);

        vm.assertEq(entitlements.expiresAt(buyer, AGENT), START + ACCESS);
    }

    function test_access_for_life_bought_twice_outlives_one_refund() public {
        Quote memory quote = etherQuote();
        quote.accessDuration = 0;
        bytes32 first = deposit(quote);
        quote = etherQuote();
        quote.accessDuration = 0;
        bytes32 second = deposit(quote);

        refundFrom(creator, first);
        vm.assertEq(entitlements.expiresAt(buyer, AGENT), LIFETIME);

        refundFrom(creator, second);
        vm.assertEq(entitlements.expiresAt(buyer, AGENT), 0);
    }

    function test_the_money_leaves_even_when_the_entitlements_refuse() public {
        bytes32 id = depositEther();
        vm.prank(owner);
        entitlements.setMinter(address(escrow), false);

        vm.prank(creator);
        vm.expectEmit(address(escrow));
        emit AgentNexusEscrow.AccessNotTakenBack(id);
        escrow.refundPayment(id);

        vm.assertEq(escrow.withdrawable(address(0), buyer), PRICE);
        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
    }

    /// @dev Taking back is made as dear as it can be: then what EIP-150 keeps back would pay for the rest of a refund.
    function test_no_amount_of_gas_refunds_without_taking_the_access_back() public {
        uint256 gaps = entitlements.MAX_GAPS();
        for (uint256 i = 0; i < gaps; ++i) {
            bytes32 early = depositEther();
            if (i == 0) depositEther(); // stays, so that the others are not the last of the run
            depositEther();
            refundFrom(creator, early);
        }
        bytes32 id = depositEther();
        uint64 before = entitlements.expiresAt(buyer, AGENT);
        bytes memory call = abi.encodeCall(escrow.refundPayment, (id));
        bool tooLittle;
        for (uint256 gas = 30_000; gas < 300_000; gas += 100) {
            vm.cool(address(escrow));
            vm.cool(address(entitlements));
            vm.prank(creator);
            (bool success, bytes memory reason) = address(escrow).call{gas: gas}(call);
            if (success) {
                vm.assertEq(entitlements.expiresAt(buyer, AGENT), before - ACCESS);
                vm.assertTrue(tooLittle, "the case was never met");
                return;
            }
            if (bytes4(reason) == AgentNexusEscrow.NotEnoughGas.selector) tooLittle = true;
        }
        vm.assertTrue(false, "never refunded");
    }

    function test_the_refund_stands_when_too_many_gaps_keep_the_access() public {
        bytes32[] memory early = new bytes32[](entitlements.MAX_GAPS() + 1);
        for (uint256 i = 0; i < early.length; ++i) {
            early[i] = depositEther();
        }
        depositEther();
        for (uint256 i = 0; i < early.length - 1; ++i) {
            refundFrom(creator, early[i]);
        }
        vm.assertEq(entitlements.expiresAt(buyer, AGENT), START + 2 * ACCESS);

        bytes32 id = early[early.length - 1];
        vm.expectEmit(address(escrow));
        emit AgentNexusEscrow.AccessNotTakenBack(id);
        refundFrom(creator, id);

        vm.assertEq(entitlements.expiresAt(buyer, AGENT), START + 2 * ACCESS);
    }

    // ---------------------------------------------------------------- refusals

    function test_reverts_when_not_expired() public {
        bytes32 id = depositEther();
        uint64 expiresAt = expiresAtOf(id);
        vm.warp(expiresAt - 1);
        bytes memory reason =
            abi.encodeWithSelector(AgentNexusEscrow.RefundNotOpen.selector, id, expiresAt, expiresAt - 1);
        expectRefused(stranger, id, reason);
        expectRefused(buyer, id, reason);
        expectRefused(owner, id, reason);
        expectRefused(arbiter, id, reason);
    }

    function test_reverts_when_there_is_no_payment() public {
        expectWrongStatus(bytes32("nothing"), AgentNexusEscrow.Status.None);
    }

    function test_reverts_when_released() public {
        bytes32 id = depositEther();
        vm.prank(buyer);
        escrow.releasePayment(id);
        expectWrongStatus(id, AgentNexusEscrow.Status.Released);
    }

    function test_reverts_when_refunded() public {
        bytes32 id = depositEther();
        refundFrom(creator, id);
        expectWrongStatus(id, AgentNexusEscrow.Status.Refunded);
    }

    function test_reverts_when_resolved() public {
        bytes32 id = depositEther();
        dispute(id);
        vm.prank(arbiter);
        escrow.resolveDispute(id, 0, "decision");
        expectWrongStatus(id, AgentNexusEscrow.Status.Resolved);
    }
}
