// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {EscrowSettings} from "../../src/EscrowSettings.sol";
import {Quote} from "../../src/Quotes.sol";
import {
    AnsweringWallet,
    GasBurner,
    ReentrantWallet,
    RefusingWallet,
    SilentWallet,
    Wallet
} from "../mocks/Receivers.sol";
import {
    FalseToken,
    FeeOnTransferToken,
    GenerousToken,
    IdleToken,
    NoReturnToken,
    PlainToken,
    ReentrantToken,
    ThievingToken
} from "../mocks/Tokens.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

contract DepositPaymentTest is EscrowFixture {
    function expectRefused(Quote memory quote, address payer, uint256 value, bytes memory reason) internal {
        bytes memory signature = sign(quote);
        vm.prank(payer);
        vm.expectRevert(reason);
        escrow.depositPayment{value: value}(quote, signature);
    }

    function quoteIn(PlainToken token) internal returns (Quote memory quote) {
        vm.prank(owner);
        escrow.setTokenSupported(address(token), true);
        token.mint(buyer, 1000e18);
        vm.prank(buyer);
        token.approve(address(escrow), type(uint256).max);
        quote = etherQuote();
        quote.token = address(token);
    }

    // ---------------------------------------------------------------- success

    function test_ether_is_held_and_access_begins_at_once() public {
        Quote memory quote = etherQuote();
        uint256 before = buyer.balance;

        bytes32 id = deposit(quote);

        vm.assertEq(id, escrow.hashQuote(quote));
        vm.assertEq(address(escrow).balance, PRICE);
        vm.assertEq(buyer.balance, before - PRICE);
        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
        vm.assertEq(entitlements.expiresAt(buyer, AGENT), START + ACCESS);
    }

    function test_tokens_are_held_and_access_begins_at_once() public {
        uint256 before = usdc.balanceOf(buyer);

        depositUsdc();

        vm.assertEq(usdc.balanceOf(address(escrow)), USDC_PRICE);
        vm.assertEq(usdc.balanceOf(buyer), before - USDC_PRICE);
        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
    }

    function test_the_payment_can_be_read_back() public {
        Quote memory quote = usdcQuote();

        AgentNexusEscrow.Payment memory payment = escrow.payments(deposit(quote));

        vm.assertEq(uint256(payment.status), uint256(AgentNexusEscrow.Status.Held));
        vm.assertEq(payment.payer, buyer);
        vm.assertEq(payment.creator, creator);
        vm.assertEq(payment.recipient, buyer);
        vm.assertEq(payment.token, address(usdc));
        vm.assertEq(payment.agentId, AGENT);
        vm.assertEq(payment.amount, USDC_PRICE);
        vm.assertEq(payment.feeBps, FEE_BPS);
        vm.assertEq(payment.accessDuration, ACCESS);
        vm.assertEq(payment.depositedAt, START);
        vm.assertEq(payment.releaseAfter, START + DISPUTE_WINDOW);
        vm.assertEq(payment.expiresAt, START + DISPUTE_WINDOW + HOLD_PERIOD);
    }

    function test_the_deposit_is_announced_with_its_terms() public {
        Quote memory quote = etherQuote();
        quote.recipient = friend;
        bytes32 id = escrow.hashQuote(quote);
        bytes memory signature = sign(quote);

        vm.prank(buyer);
        vm.expectEmit(address(escrow));
        emit AgentNexusEscrow.PaymentDeposited(
            id,
            AGENT,
            friend,
            buyer,
            creator,
            address(0),
            PRICE,
            FEE_BPS,
            ACCESS,
            START + DISPUTE_WINDOW,
            START + DISPUTE_WINDOW + HOLD_PERIOD
        );
        escrow.depositPayment{value: PRICE}(quote, signature);
    }

    function test_a_gift_gives_access_to_the_recipient_only() public {
        Quote memory quote = usdcQuote();
        quote.recipient = friend;

        bytes32 id = deposit(quote);

        vm.assertTrue(entitlements.hasValidToken(friend, AGENT));
        vm.assertFalse(entitlements.hasValidToken(buyer, AGENT));
        vm.assertEq(escrow.payments(id).recipient, friend);
        vm.assertEq(escrow.payments(id).payer, buyer);
    }

    function test_an_open_quote_can_be_paid_by_anyone_for_themselves() public {
        Quote memory quote = etherQuote();
        quote.buyer = address(0);
        quote.recipient = address(0);
        vm.deal(stranger, 1 ether);

        bytes32 id = depositFrom(stranger, quote);

        vm.assertEq(escrow.payments(id).payer, stranger);
        vm.assertEq(escrow.payments(id).recipient, stranger);
        vm.assertTrue(entitlements.hasValidToken(stranger, AGENT));
    }

    function test_a_quote_is_good_until_its_last_second() public {
        Quote memory quote = etherQuote();
        vm.warp(quote.validUntil);

        deposit(quote);

        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
    }

    function test_access_for_life() public {
        Quote memory quote = etherQuote();
        quote.accessDuration = 0;

        deposit(quote);

        vm.assertEq(entitlements.expiresAt(buyer, AGENT), LIFETIME);
    }

    function test_two_purchases_on_the_same_terms_are_two_payments() public {
        bytes32 first = depositEther();
        bytes32 second = depositEther();

        vm.assertTrue(first != second);
        vm.assertEq(entitlements.expiresAt(buyer, AGENT), START + 2 * ACCESS);
        vm.assertEq(address(escrow).balance, 2 * PRICE);
    }

    function test_tokens_that_are_already_there_do_not_count() public {
        usdc.mint(address(escrow), 3 * USDC_PRICE + 1);
        depositUsdc();
        depositUsdc();
        vm.assertEq(usdc.balanceOf(address(escrow)), 5 * USDC_PRICE + 1);
    }

    function test_the_highest_amount_agent_and_duration() public {
        Quote memory quote = etherQuote();
        quote.amount = escrow.MAX_AMOUNT();
        quote.agentId = type(uint32).max;
        quote.accessDuration = type(uint32).max;
        vm.deal(buyer, quote.amount);

        bytes32 id = deposit(quote);

        vm.assertEq(escrow.payments(id).amount, quote.amount);
        vm.assertEq(escrow.payments(id).agentId, quote.agentId);
        vm.assertEq(escrow.payments(id).accessDuration, quote.accessDuration);
    }

    function test_a_token_that_answers_nothing() public {
        NoReturnToken token = new NoReturnToken();
        vm.prank(owner);
        escrow.setTokenSupported(address(token), true);
        token.mint(buyer, PRICE);
        vm.prank(buyer);
        token.approve(address(escrow), PRICE);
        Quote memory quote = etherQuote();
        quote.token = address(token);

        deposit(quote);

        vm.assertEq(token.balanceOf(address(escrow)), PRICE);
    }

    function test_a_contract_that_receives_tokens_can_buy() public {
        Wallet wallet = new Wallet();
        vm.deal(address(wallet), 1 ether);
        Quote memory quote = etherQuote();
        quote.buyer = address(wallet);
        quote.recipient = address(wallet);

        depositFrom(address(wallet), quote);

        vm.assertTrue(entitlements.hasValidToken(address(wallet), AGENT));
    }

    function testFuzz_what_is_paid_is_what_is_held(uint256 amount, uint64 duration, uint256 agentId) public {
        Quote memory quote = etherQuote();
        quote.amount = bound(amount, 1, escrow.MAX_AMOUNT());
        quote.accessDuration = uint64(bound(duration, 0, type(uint32).max));
        quote.agentId = bound(agentId, 0, type(uint32).max);
        vm.deal(buyer, quote.amount);

        bytes32 id = deposit(quote);

        vm.assertEq(buyer.balance, 0);
        vm.assertEq(address(escrow).balance, quote.amount);
        vm.assertEq(escrow.payments(id).amount, quote.amount);
        vm.assertTrue(entitlements.hasValidToken(buyer, quote.agentId));
    }

    // ---------------------------------------------------------------- refused quotes

    function test_reverts_when_paid_twice() public {
        Quote memory quote = etherQuote();
        bytes32 id = deposit(quote);
        expectRefused(quote, buyer, PRICE, abi.encodeWithSelector(AgentNexusEscrow.PaymentExists.selector, id));
    }

    function test_reverts_when_paid_again_after_the_refund() public {
        Quote memory quote = etherQuote();
        bytes32 id = deposit(quote);
        vm.prank(creator);
        escrow.refundPayment(id);
        expectRefused(quote, buyer, PRICE, abi.encodeWithSelector(AgentNexusEscrow.PaymentExists.selector, id));
    }

    function test_reverts_when_signed_by_another_key() public {
        Quote memory quote = etherQuote();
        bytes memory signature = signDigest(BUYER_KEY, escrow.hashQuote(quote));
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEscrow.NotSignedByQuoteSigner.selector, buyer, signer));
        escrow.depositPayment{value: PRICE}(quote, signature);
    }

    function test_reverts_when_the_signature_is_no_signature() public {
        Quote memory quote = etherQuote();
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEscrow.NotSignedByQuoteSigner.selector, address(0), signer));
        escrow.depositPayment{value: PRICE}(quote, "short");
    }

    function test_reverts_when_signed_by_the_key_before() public {
        Quote memory quote = etherQuote();
        vm.prank(owner);
        escrow.setQuoteSigner(friend);
        expectRefused(
            quote,
            buyer,
            PRICE,
            abi.encodeWithSelector(AgentNexusEscrow.NotSignedByQuoteSigner.selector, signer, friend)
        );
    }

    function test_reverts_when_any_term_was_changed() public {
        Quote memory signed = etherQuote();
        bytes memory signature = sign(signed);
        for (uint256 term = 0; term < 9; ++term) {
            Quote memory quote = Quote({
                agentId: signed.agentId + (term == 0 ? 1 : 0),
                creator: term == 1 ? stranger : signed.creator,
                buyer: term == 2 ? address(0) : signed.buyer,
                recipient: term == 3 ? stranger : signed.recipient,
                token: term == 4 ? address(usdc) : signed.token,
                amount: signed.amount - (term == 5 ? 1 : 0),
                accessDuration: signed.accessDuration + (term == 6 ? 1 : 0),
                validUntil: signed.validUntil + (term == 7 ? 1 : 0),
                salt: term == 8 ? bytes32(0) : signed.salt
            });
            uint256 value = quote.token == address(0) ? quote.amount : 0;
            vm.prank(buyer);
            (bool success, bytes memory reason) =
                address(escrow).call{value: value}(abi.encodeCall(escrow.depositPayment, (quote, signature)));
            vm.assertFalse(success, "a changed term was accepted");
            vm.assertEq(bytes32(bytes4(reason)), bytes32(AgentNexusEscrow.NotSignedByQuoteSigner.selector));
        }
    }

    function test_reverts_when_signed_for_another_chain() public {
        Quote memory quote = etherQuote();
        bytes memory signature = sign(quote);
        vm.chainId(8453);
        vm.prank(buyer);
        (bool success, bytes memory reason) =
            address(escrow).call{value: PRICE}(abi.encodeCall(escrow.depositPayment, (quote, signature)));
        vm.assertFalse(success);
        vm.assertEq(bytes32(bytes4(reason)), bytes32(AgentNexusEscrow.NotSignedByQuoteSigner.selector));
    }

    function test_reverts_when_the_quote_has_expired() public {
        Quote memory quote = etherQuote();
        vm.warp(quote.validUntil + 1);
        expectRefused(
            quote,
            buyer,
            PRICE,
            abi.encodeWithSelector(AgentNexusEscrow.QuoteExpired.selector, quote.validUntil, quote.validUntil + 1)
        );
    }

    function test_reverts_when_the_quote_is_for_another_buyer() public {
        Quote memory quote = etherQuote();
        vm.deal(stranger, 1 ether);
        expectRefused(
            quote, stranger, PRICE, abi.encodeWithSelector(AgentNexusEscrow.NotQuotedBuyer.selector, stranger, buyer)
        );
    }

    function test_reverts_when_the_token_is_not_supported() public {
        Quote memory quote = etherQuote();
        quote.token = address(new PlainToken());
        expectRefused(quote, buyer, 0, abi.encodeWithSelector(AgentNexusEscrow.TokenNotSupported.selector, quote.token));
    }

    function test_reverts_when_ether_is_no_longer_supported() public {
        Quote memory quote = etherQuote();
        vm.prank(owner);
        escrow.setTokenSupported(address(0), false);
        expectRefused(
            quote, buyer, PRICE, abi.encodeWithSelector(AgentNexusEscrow.TokenNotSupported.selector, address(0))
        );
    }

    function test_reverts_when_the_amount_is_zero() public {
        Quote memory quote = etherQuote();
        quote.amount = 0;
        expectRefused(
            quote,
            buyer,
            0,
            abi.encodeWithSelector(AgentNexusEscrow.AmountOutOfRange.selector, 0, uint256(type(uint88).max))
        );
    }

    function test_reverts_when_the_amount_is_too_high() public {
        Quote memory quote = etherQuote();
        quote.amount = uint256(type(uint88).max) + 1;
        vm.deal(buyer, quote.amount);
        expectRefused(
            quote,
            buyer,
            quote.amount,
            abi.encodeWithSelector(AgentNexusEscrow.AmountOutOfRange.selector, quote.amount, uint256(type(uint88).max))
        );
    }

    function test_reverts_when_there_is_no_creator() public {
        Quote memory quote = etherQuote();
        quote.creator = address(0);
        expectRefused(quote, buyer, PRICE, abi.encodeWithSelector(EscrowSettings.ZeroAddress.selector));
    }

    function test_reverts_when_the_agent_id_is_too_high() public {
        Quote memory quote = etherQuote();
        quote.agentId = uint256(type(uint32).max) + 1;
        expectRefused(
            quote,
            buyer,
            PRICE,
            abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, uint8(32), quote.agentId)
        );
    }

    function test_reverts_when_the_duration_is_too_long() public {
        Quote memory quote = etherQuote();
        quote.accessDuration = uint64(type(uint32).max) + 1;
        expectRefused(
            quote,
            buyer,
            PRICE,
            abi.encodeWithSelector(
                SafeCast.SafeCastOverflowedUintDowncast.selector, uint8(32), uint256(quote.accessDuration)
            )
        );
    }

    function test_reverts_when_the_access_would_begin_too_far_ahead() public {
        Quote memory quote = etherQuote();
        uint64 far = START + type(uint32).max + 1;
        vm.prank(granter);
        entitlements.setTokenExpiry(buyer, AGENT, far);
        expectRefused(
            quote,
            buyer,
            PRICE,
            abi.encodeWithSelector(
                SafeCast.SafeCastOverflowedUintDowncast.selector, uint8(32), uint256(type(uint32).max) + 1
            )
        );
    }

    function test_reverts_when_paused() public {
        Quote memory quote = etherQuote();
        vm.prank(owner);
        escrow.pause();
        expectRefused(quote, buyer, PRICE, abi.encodeWithSelector(Pausable.EnforcedPause.selector));
    }

    function test_reverts_when_the_escrow_is_no_minter() public {
        Quote memory quote = etherQuote();
        vm.prank(owner);
        entitlements.setMinter(address(escrow), false);
        expectRefused(
            quote, buyer, PRICE, abi.encodeWithSelector(AgentNexusEntitlements.NotMinter.selector, address(escrow))
        );
        vm.assertEq(address(escrow).balance, 0);
    }

    // ---------------------------------------------------------------- refused money

    function test_reverts_when_too_little_ether_is_sent() public {
        expectRefused(
            etherQuote(),
            buyer,
            PRICE - 1,
            abi.encodeWithSelector(AgentNexusEscrow.WrongValue.selector, PRICE - 1, PRICE)
        );
    }

    function test_reverts_when_too_much_ether_is_sent() public {
        expectRefused(
            etherQuote(),
            buyer,
            PRICE + 1,
            abi.encodeWithSelector(AgentNexusEscrow.WrongValue.selector, PRICE + 1, PRICE)
        );
    }

    function test_reverts_when_ether_is_sent_with_a_token_quote() public {
        expectRefused(usdcQuote(), buyer, 3, abi.encodeWithSelector(AgentNexusEscrow.WrongValue.selector, 3, 0));
    }

    function test_reverts_when_the_allowance_is_too_low() public {
        vm.prank(buyer);
        usdc.approve(address(escrow), USDC_PRICE - 1);
        expectRefused(
            usdcQuote(),
            buyer,
            0,
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(escrow), USDC_PRICE - 1, USDC_PRICE
            )
        );
    }

    function test_reverts_when_the_token_keeps_a_fee() public {
        Quote memory quote = quoteIn(new FeeOnTransferToken());
        expectRefused(
            quote,
            buyer,
            0,
            abi.encodeWithSelector(AgentNexusEscrow.WrongTokenAmount.selector, quote.token, PRICE, PRICE - PRICE / 100)
        );
    }

    function test_reverts_when_the_token_delivers_too_much() public {
        Quote memory quote = quoteIn(new GenerousToken());
        expectRefused(
            quote,
            buyer,
            0,
            abi.encodeWithSelector(AgentNexusEscrow.WrongTokenAmount.selector, quote.token, PRICE, PRICE + 1)
        );
    }

    function test_reverts_when_the_token_delivers_nothing() public {
        Quote memory quote = quoteIn(new IdleToken());
        expectRefused(
            quote, buyer, 0, abi.encodeWithSelector(AgentNexusEscrow.WrongTokenAmount.selector, quote.token, PRICE, 0)
        );
    }

    function test_reverts_when_the_token_takes_instead_of_giving() public {
        ThievingToken token = new ThievingToken();
        Quote memory quote = quoteIn(token);
        token.mint(address(escrow), 10 * PRICE);
        expectRefused(
            quote, buyer, 0, abi.encodeWithSelector(AgentNexusEscrow.WrongTokenAmount.selector, quote.token, PRICE, 0)
        );
    }

    function test_reverts_when_the_token_answers_false() public {
        Quote memory quote = quoteIn(new FalseToken());
        expectRefused(quote, buyer, 0, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, quote.token));
    }

    // ---------------------------------------------------------------- refused recipients

    function expectCannotReceive(address recipient) internal {
        Quote memory quote = etherQuote();
        quote.recipient = recipient;
        expectRefused(
            quote,
            buyer,
            PRICE,
            abi.encodeWithSelector(AgentNexusEntitlements.RecipientCannotReceive.selector, recipient)
        );
    }

    function test_reverts_when_the_recipient_contract_refuses() public {
        expectCannotReceive(address(new RefusingWallet()));
    }

    function test_reverts_when_the_recipient_contract_answers_nothing() public {
        expectCannotReceive(address(new SilentWallet()));
    }

    function test_reverts_when_the_recipient_contract_answers_wrongly() public {
        expectCannotReceive(address(new AnsweringWallet(abi.encode(bytes4(0xdeadbeef)))));
    }

    function test_reverts_when_the_recipient_contract_burns_all_gas() public {
        Quote memory quote = etherQuote();
        quote.recipient = address(new GasBurner());
        bytes memory signature = sign(quote);
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.RecipientCannotReceive.selector, quote.recipient));
        escrow.depositPayment{value: PRICE, gas: 3_000_000}(quote, signature);
    }

    // ---------------------------------------------------------------- reentrancy

    function reenterFromRecipient(bytes memory data) internal returns (ReentrantWallet wallet, bytes32 id) {
        wallet = new ReentrantWallet();
        Quote memory quote = etherQuote();
        quote.recipient = address(wallet);
        quote.creator = address(wallet);
        id = escrow.hashQuote(quote);
        wallet.prepare(address(escrow), data.length == 0 ? abi.encodeCall(escrow.refundPayment, (id)) : data);
        deposit(quote);
    }

    function test_the_recipient_cannot_refund_from_inside_the_deposit() public {
        (ReentrantWallet wallet, bytes32 id) = reenterFromRecipient("");
        vm.assertEq(wallet.attempts(), 1);
        vm.assertFalse(wallet.succeeded());
        vm.assertEq(bytes32(wallet.answer()), bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        assertStatus(id, AgentNexusEscrow.Status.Held);
    }

    function test_the_recipient_cannot_withdraw_from_inside_the_deposit() public {
        (ReentrantWallet wallet,) =
            reenterFromRecipient(abi.encodeCall(escrow.withdraw, (address(0), address(creator))));
        vm.assertFalse(wallet.succeeded());
        vm.assertEq(bytes32(wallet.answer()), bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
    }

    function test_the_recipient_sees_the_payment_and_the_access_from_inside() public {
        ReentrantWallet wallet = new ReentrantWallet();
        Quote memory quote = etherQuote();
        quote.recipient = address(wallet);
        wallet.prepare(address(escrow), abi.encodeCall(escrow.payments, (escrow.hashQuote(quote))));
        deposit(quote);
        AgentNexusEscrow.Payment memory seen = abi.decode(wallet.answer(), (AgentNexusEscrow.Payment));
        vm.assertEq(uint256(seen.status), uint256(AgentNexusEscrow.Status.Held));
        vm.assertEq(seen.amount, PRICE);

        ReentrantWallet other = new ReentrantWallet();
        quote = etherQuote();
        quote.recipient = address(other);
        other.prepare(address(entitlements), abi.encodeCall(entitlements.hasValidToken, (address(other), AGENT)));
        deposit(quote);
        vm.assertTrue(abi.decode(other.answer(), (bool)));
    }

    function test_the_token_cannot_pay_a_second_quote_with_the_same_transfer() public {
        ReentrantToken token = new ReentrantToken();
        Quote memory outer = quoteIn(token);
        Quote memory inner = etherQuote();
        inner.token = address(token);
        inner.buyer = address(0);
        token.prepare(address(escrow), abi.encodeCall(escrow.depositPayment, (inner, sign(inner))));

        deposit(outer);

        vm.assertFalse(token.succeeded());
        vm.assertEq(bytes32(token.answer()), bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        vm.assertEq(token.balanceOf(address(escrow)), PRICE);
    }
}
