// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {Quote} from "../../src/Quotes.sol";
import {FeeOnTransferToken} from "../mocks/Tokens.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {TokenSignatures} from "../support/TokenSignatures.sol";

contract DepositWithPermitTest is EscrowFixture, TokenSignatures {
    struct Permit {
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    function setUp() public override {
        super.setUp();
        vm.prank(buyer);
        usdc.approve(address(escrow), 0);
    }

    function permitFor(uint256 amount) internal view returns (Permit memory permit) {
        permit.deadline = block.timestamp + 1 hours;
        (permit.v, permit.r, permit.s) =
            vm.sign(BUYER_KEY, permitDigest(usdc, buyer, address(escrow), amount, usdc.nonces(buyer), permit.deadline));
    }

    function depositWith(Quote memory quote, Permit memory permit, bytes memory reason) internal returns (bytes32) {
        bytes memory signature = sign(quote);
        vm.prank(buyer);
        if (reason.length > 0) vm.expectRevert(reason);
        return escrow.depositWithPermit(quote, signature, permit.deadline, permit.v, permit.r, permit.s);
    }

    function test_one_signature_pays() public {
        Quote memory quote = usdcQuote();

        bytes32 id = depositWith(quote, permitFor(USDC_PRICE), "");

        vm.assertEq(id, escrow.hashQuote(quote));
        vm.assertEq(usdc.balanceOf(address(escrow)), USDC_PRICE);
        vm.assertEq(usdc.allowance(buyer, address(escrow)), 0);
        vm.assertEq(escrow.payments(id).payer, buyer);
        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
    }

    function test_an_open_quote_gives_access_to_who_pays() public {
        Quote memory quote = usdcQuote();
        quote.buyer = address(0);
        quote.recipient = address(0);

        depositWith(quote, permitFor(USDC_PRICE), "");

        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
    }

    function test_a_permit_that_somebody_sent_before_does_no_harm() public {
        Permit memory permit = permitFor(USDC_PRICE);
        vm.prank(stranger);
        usdc.permit(buyer, address(escrow), USDC_PRICE, permit.deadline, permit.v, permit.r, permit.s);

        depositWith(usdcQuote(), permit, "");

        vm.assertEq(usdc.balanceOf(address(escrow)), USDC_PRICE);
    }

    function test_reverts_when_the_permit_is_not_the_payers() public {
        Permit memory permit = permitFor(USDC_PRICE);
        permit.s = bytes32(uint256(permit.s) ^ 1);
        depositWith(
            usdcQuote(),
            permit,
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(escrow), 0, USDC_PRICE)
        );
    }

    function test_reverts_when_the_permit_is_for_less() public {
        Permit memory permit = permitFor(USDC_PRICE - 1);
        depositWith(
            usdcQuote(),
            permit,
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(escrow), 0, USDC_PRICE)
        );
    }

    function test_reverts_when_the_quote_is_in_ether() public {
        depositWith(
            etherQuote(), permitFor(USDC_PRICE), abi.encodeWithSelector(AgentNexusEscrow.EtherNotAllowed.selector)
        );
    }

    function test_reverts_when_the_quote_was_paid() public {
        Quote memory quote = usdcQuote();
        bytes32 id = depositWith(quote, permitFor(USDC_PRICE), "");
        depositWith(quote, permitFor(USDC_PRICE), abi.encodeWithSelector(AgentNexusEscrow.PaymentExists.selector, id));
    }

    function test_reverts_when_paused() public {
        vm.prank(owner);
        escrow.pause();
        depositWith(usdcQuote(), permitFor(USDC_PRICE), abi.encodeWithSelector(Pausable.EnforcedPause.selector));
    }

    function test_reverts_when_the_token_keeps_a_fee() public {
        FeeOnTransferToken token = new FeeOnTransferToken();
        vm.prank(owner);
        escrow.setTokenSupported(address(token), true);
        token.mint(buyer, 1e18);
        vm.prank(buyer);
        token.approve(address(escrow), 1e18);
        Quote memory quote = usdcQuote();
        quote.token = address(token);
        depositWith(
            quote,
            permitFor(USDC_PRICE),
            abi.encodeWithSelector(
                AgentNexusEscrow.WrongTokenAmount.selector, quote.token, USDC_PRICE, USDC_PRICE - USDC_PRICE / 100
            )
        );
    }
}
