// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Quote} from "../../src/Quotes.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {NaiveEntitlements, NaiveEscrow} from "./NaiveEscrow.sol";

/// @dev Each measured call is a transaction of its own (`isolate`), with its base cost and calldata, on an escrow that
/// has been used before: the first payment to an empty contract would cost more and happen once. `tools/bench_gas` reads
/// the figures; the names are what it prints.
contract GasTest is EscrowFixture {
    NaiveEscrow internal naive;
    NaiveEntitlements internal naiveAccess;
    uint256 private _total;

    function setUp() public override {
        super.setUp();
        naive = new NaiveEscrow(signer, feeRecipient);
        naive.setTokenSupported(address(0), true);
        naive.setTokenSupported(address(usdc), true);
        naiveAccess = new NaiveEntitlements();
        vm.prank(buyer);
        usdc.approve(address(naive), type(uint256).max);
        vm.prank(owner);
        entitlements.setMinter(address(this), true);

        // Somebody has bought, been refunded, sold and been paid before, in both currencies.
        vm.deal(friend, 10 ether);
        usdc.mint(friend, 1000e6);
        vm.startPrank(friend);
        usdc.approve(address(escrow), type(uint256).max);
        usdc.approve(address(naive), type(uint256).max);
        vm.stopPrank();
        address[2] memory tokens = [address(0), address(usdc)];
        for (uint256 i = 0; i < 2; ++i) {
            Quote memory quote = quoteFor(friend, tokens[i]);
            payBoth(quote);
            releaseBoth(quote, friend);
            escrow.withdraw(tokens[i], creator);
            naive.withdraw(tokens[i], creator);
            payBoth(quoteFor(friend, tokens[i]));
        }
    }

    function quoteFor(address payer, address token) internal returns (Quote memory quote) {
        quote = token == address(0) ? etherQuote() : usdcQuote();
        quote.buyer = payer;
        quote.recipient = payer;
    }

    function payBoth(Quote memory quote) internal {
        pay(quote);
        payNaive(quote);
    }

    function pay(Quote memory quote) internal returns (bytes32) {
        return depositFrom(quote.buyer, quote);
    }

    function payNaive(Quote memory quote) internal returns (bytes32) {
        bytes memory signature = signDigest(SIGNER_KEY, naive.hashQuote(quote));
        vm.prank(quote.buyer);
        return naive.depositPayment{value: quote.token == address(0) ? quote.amount : 0}(quote, signature);
    }

    function releaseBoth(Quote memory quote, address sender) internal {
        bytes32 id = escrow.hashQuote(quote);
        bytes32 naiveId = naive.hashQuote(quote);
        vm.startPrank(sender);
        escrow.releasePayment(id);
        naive.releasePayment(naiveId);
        vm.stopPrank();
    }

    function ours(string memory name) internal {
        vm.snapshotGasLastCall("ours", name);
    }

    function theirs(string memory name) internal {
        vm.snapshotGasLastCall("naive", name);
    }

    // ---------------------------------------------------------------- purchases

    function purchase(string memory name, address token) internal {
        Quote memory quote = quoteFor(buyer, token);
        pay(quote);
        ours(name);
        payNaive(quote);
        theirs(string.concat(name, "_deposit"));
        naiveAccess.mintToken(buyer, AGENT, ACCESS);
        theirs(string.concat(name, "_mint"));
    }

    /// forge-config: default.isolate = true
    function test_gas_purchase_ether() public {
        purchase("purchase_ether", address(0));
    }

    /// forge-config: default.isolate = true
    function test_gas_purchase_erc20() public {
        purchase("purchase_erc20", address(usdc));
    }

    /// forge-config: default.isolate = true
    function test_gas_grant_mint() public {
        entitlements.mintToken(buyer, AGENT, ACCESS);
        ours("grant_mint");
        naiveAccess.mintToken(buyer, AGENT, ACCESS);
        theirs("grant_mint");
    }

    // ---------------------------------------------------------------- release

    function release(string memory name, address token, address creator_) internal {
        Quote memory quote = quoteFor(buyer, token);
        quote.creator = creator_;
        bytes32 id = pay(quote);
        bytes32 naiveId = payNaive(quote);
        vm.warp(block.timestamp + DISPUTE_WINDOW);
        vm.prank(stranger);
        escrow.releasePayment(id);
        ours(name);
        vm.prank(stranger);
        naive.releasePayment(naiveId);
        theirs(name);
    }

    /// forge-config: default.isolate = true
    function test_gas_release_ether_paid_before() public {
        release("release_ether_paid_before", address(0), creator);
    }

    /// forge-config: default.isolate = true
    function test_gas_release_erc20_paid_before() public {
        release("release_erc20_paid_before", address(usdc), creator);
    }

    /// forge-config: default.isolate = true
    function test_gas_release_erc20_new_creator() public {
        release("release_erc20_new_creator", address(usdc), stranger);
    }

    // ---------------------------------------------------------------- refund

    function refundWithAccess(string memory name, address token) internal {
        Quote memory quote = quoteFor(buyer, token);
        bytes32 id = pay(quote);
        bytes32 naiveId = payNaive(quote);
        naiveAccess.mintToken(buyer, AGENT, ACCESS);
        vm.prank(creator);
        escrow.refundPayment(id);
        ours(name);
        vm.prank(creator);
        naive.refundPayment(naiveId);
        theirs(string.concat(name, "_refund"));
        naiveAccess.takeBackToken(buyer, AGENT, ACCESS);
        theirs(string.concat(name, "_take_back"));
    }

    /// forge-config: default.isolate = true
    function test_gas_refund_ether_with_access() public {
        refundWithAccess("refund_ether_with_access", address(0));
    }

    /// forge-config: default.isolate = true
    function test_gas_refund_erc20_with_access() public {
        refundWithAccess("refund_erc20_with_access", address(usdc));
    }

    /// forge-config: default.isolate = true
    function test_gas_refund_erc20_without_access() public {
        Quote memory quote = quoteFor(buyer, address(usdc));
        bytes32 id = pay(quote);
        bytes32 naiveId = payNaive(quote);
        vm.warp(block.timestamp + DISPUTE_WINDOW + HOLD_PERIOD);
        vm.prank(stranger);
        escrow.refundPayment(id);
        ours("refund_erc20_without_access");
        vm.prank(stranger);
        naive.refundPayment(naiveId);
        theirs("refund_erc20_without_access");
    }

    // ---------------------------------------------------------------- withdraw

    function withdraw(string memory name, address token) internal {
        Quote memory quote = quoteFor(buyer, token);
        payBoth(quote);
        releaseBoth(quote, buyer);
        escrow.withdraw(token, creator);
        ours(name);
        naive.withdraw(token, creator);
        theirs(name);
    }

    /// forge-config: default.isolate = true
    function test_gas_withdraw_ether() public {
        withdraw("withdraw_ether", address(0));
    }

    /// forge-config: default.isolate = true
    function test_gas_withdraw_erc20() public {
        withdraw("withdraw_erc20", address(usdc));
    }

    // ---------------------------------------------------------------- the rest

    /// forge-config: default.isolate = true
    function test_gas_open_and_resolve_dispute() public {
        bytes32 id = pay(quoteFor(buyer, address(usdc)));
        vm.prank(buyer);
        escrow.openDispute(id, "reason");
        ours("open_dispute");
        vm.prank(arbiter);
        escrow.resolveDispute(id, 5000, "decision");
        ours("resolve_dispute");
    }
}
