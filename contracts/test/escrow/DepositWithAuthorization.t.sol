// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {Quote} from "../../src/Quotes.sol";
import {TestUSDC} from "../../src/local/TestUSDC.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {TokenSignatures} from "../support/TokenSignatures.sol";

/// @dev Takes any authorisation and moves nothing.
contract IdleAuthorizationToken {
    function balanceOf(address) external pure returns (uint256) {
        return 5;
    }

    function receiveWithAuthorization(address, address, uint256, uint256, uint256, bytes32, bytes calldata) external {}
}

contract DepositWithAuthorizationTest is EscrowFixture, TokenSignatures {
    function setUp() public override {
        super.setUp();
        vm.prank(buyer);
        usdc.approve(address(escrow), 0);
    }

    function authorize(uint256 amount, bytes32 nonce) internal view returns (bytes memory) {
        return signDigest(
            BUYER_KEY, authorizationDigest(usdc, buyer, address(escrow), amount, 0, block.timestamp + 1 hours, nonce)
        );
    }

    function relay(Quote memory quote, address payer, bytes memory authorization, bytes memory reason)
        internal
        returns (bytes32)
    {
        bytes memory signature = sign(quote);
        uint256 validBefore = block.timestamp + 1 hours;
        vm.prank(stranger);
        if (reason.length > 0) vm.expectRevert(reason);
        return escrow.depositWithAuthorization(quote, signature, payer, 0, validBefore, authorization);
    }

    function test_anyone_may_send_what_the_payer_signed() public {
        Quote memory quote = usdcQuote();
        bytes32 id = escrow.hashQuote(quote);

        vm.assertEq(relay(quote, buyer, authorize(USDC_PRICE, id), ""), id);

        vm.assertEq(usdc.balanceOf(address(escrow)), USDC_PRICE);
        vm.assertTrue(usdc.authorizationState(buyer, id));
        vm.assertEq(escrow.payments(id).payer, buyer);
        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
        vm.assertFalse(entitlements.hasValidToken(stranger, AGENT));
    }

    function test_an_open_quote_gives_access_to_who_pays() public {
        Quote memory quote = usdcQuote();
        quote.buyer = address(0);
        quote.recipient = address(0);

        relay(quote, buyer, authorize(USDC_PRICE, escrow.hashQuote(quote)), "");

        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
        vm.assertFalse(entitlements.hasValidToken(stranger, AGENT));
    }

    function test_the_payer_and_not_the_sender_has_the_rights() public {
        Quote memory quote = usdcQuote();
        bytes32 id = relay(quote, buyer, authorize(USDC_PRICE, escrow.hashQuote(quote)), "");
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEscrow.NotPayer.selector, id, stranger));
        escrow.openDispute(id, "reason");
        vm.prank(buyer);
        escrow.openDispute(id, "reason");
        assertStatus(id, AgentNexusEscrow.Status.Disputed);
    }

    function test_reverts_when_the_authorization_is_for_another_quote() public {
        Quote memory meant = usdcQuote();
        Quote memory other = usdcQuote();
        other.creator = stranger;
        bytes memory authorization = authorize(USDC_PRICE, escrow.hashQuote(meant));
        relay(other, buyer, authorization, abi.encodeWithSelector(TestUSDC.WrongSignature.selector, buyer));
    }

    function test_reverts_when_the_payer_is_not_the_quoted_buyer() public {
        Quote memory quote = usdcQuote();
        relay(
            quote,
            friend,
            authorize(USDC_PRICE, escrow.hashQuote(quote)),
            abi.encodeWithSelector(AgentNexusEscrow.NotQuotedBuyer.selector, friend, buyer)
        );
    }

    function test_reverts_when_the_quote_is_in_ether() public {
        relay(etherQuote(), buyer, "", abi.encodeWithSelector(AgentNexusEscrow.EtherNotAllowed.selector));
    }

    function test_reverts_when_sent_twice() public {
        Quote memory quote = usdcQuote();
        bytes32 id = escrow.hashQuote(quote);
        bytes memory authorization = authorize(USDC_PRICE, id);
        relay(quote, buyer, authorization, "");
        relay(quote, buyer, authorization, abi.encodeWithSelector(AgentNexusEscrow.PaymentExists.selector, id));
    }

    function test_reverts_when_paused() public {
        vm.prank(owner);
        escrow.pause();
        relay(usdcQuote(), buyer, "", abi.encodeWithSelector(Pausable.EnforcedPause.selector));
    }

    function test_reverts_when_the_token_moves_nothing() public {
        IdleAuthorizationToken token = new IdleAuthorizationToken();
        vm.prank(owner);
        escrow.setTokenSupported(address(token), true);
        Quote memory quote = usdcQuote();
        quote.token = address(token);
        relay(
            quote,
            buyer,
            "",
            abi.encodeWithSelector(AgentNexusEscrow.WrongTokenAmount.selector, address(token), USDC_PRICE, 0)
        );
    }
}
