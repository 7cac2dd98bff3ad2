// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {Quote} from "../../src/Quotes.sol";
import {TestUSDC} from "../../src/local/TestUSDC.sol";
import {TestBase} from "./TestBase.sol";

/// @dev A marketplace just deployed: ether and USDC are supported, the buyer has both and has approved the escrow.
abstract contract EscrowFixture is TestBase {
    uint256 internal constant SIGNER_KEY = 0xA11CE;
    uint256 internal constant BUYER_KEY = 0xB0B;
    uint64 internal constant DISPUTE_WINDOW = 3 days;
    uint64 internal constant HOLD_PERIOD = 30 days;
    uint64 internal constant START = 1_800_000_000;
    uint16 internal constant FEE_BPS = 250;
    uint64 internal constant LIFETIME = type(uint64).max;

    uint256 internal constant AGENT = 7;
    uint256 internal constant PRICE = 0.01 ether;
    uint256 internal constant USDC_PRICE = 25e6;
    uint64 internal constant ACCESS = 30 days;

    address internal immutable owner = address(0x0111);
    address internal immutable arbiter = address(0x0222);
    address internal immutable feeRecipient = address(0x0333);
    address internal immutable creator = address(0x0444);
    address internal immutable stranger = address(0x0555);
    address internal immutable friend = address(0x0666);
    address internal immutable granter = address(0x0777);
    address internal immutable signer = vm.addr(SIGNER_KEY);
    address internal immutable buyer = vm.addr(BUYER_KEY);

    AgentNexusEntitlements internal entitlements;
    AgentNexusEscrow internal escrow;
    TestUSDC internal usdc;
    uint256 private _salt;

    function setUp() public virtual {
        vm.warp(START);
        entitlements = new AgentNexusEntitlements(owner);
        escrow = new AgentNexusEscrow(
            owner, address(entitlements), signer, arbiter, feeRecipient, FEE_BPS, DISPUTE_WINDOW, HOLD_PERIOD
        );
        usdc = new TestUSDC();
        vm.startPrank(owner);
        entitlements.setMinter(address(escrow), true);
        entitlements.setMinter(granter, true);
        escrow.setTokenSupported(address(usdc), true);
        vm.stopPrank();

        vm.deal(buyer, 1000 ether);
        usdc.mint(buyer, 1_000_000e6);
        vm.prank(buyer);
        usdc.approve(address(escrow), type(uint256).max);
    }

    // ---------------------------------------------------------------- quotes

    function etherQuote() internal returns (Quote memory) {
        return Quote({
            agentId: AGENT,
            creator: creator,
            buyer: buyer,
            recipient: buyer,
            token: address(0),
            amount: PRICE,
            accessDuration: ACCESS,
            validUntil: uint64(block.timestamp) + 15 minutes,
            salt: keccak256(abi.encode("salt", ++_salt))
        });
    }

    function usdcQuote() internal returns (Quote memory quote) {
        quote = etherQuote();
        quote.token = address(usdc);
        quote.amount = USDC_PRICE;
    }

    function sign(Quote memory quote) internal view returns (bytes memory) {
        return signDigest(SIGNER_KEY, escrow.hashQuote(quote));
    }

    function signDigest(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // ---------------------------------------------------------------- deposits

    function deposit(Quote memory quote) internal returns (bytes32) {
        return depositFrom(buyer, quote);
    }

    function depositFrom(address payer, Quote memory quote) internal returns (bytes32) {
        bytes memory signature = sign(quote);
        vm.prank(payer);
        return escrow.depositPayment{value: quote.token == address(0) ? quote.amount : 0}(quote, signature);
    }

    function depositEther() internal returns (bytes32) {
        return deposit(etherQuote());
    }

    function depositUsdc() internal returns (bytes32) {
        return deposit(usdcQuote());
    }

    function dispute(bytes32 paymentId) internal {
        vm.prank(buyer);
        escrow.openDispute(paymentId, "reason");
    }

    // ---------------------------------------------------------------- times and figures

    function releaseAfterOf(bytes32 paymentId) internal view returns (uint64) {
        return escrow.payments(paymentId).releaseAfter;
    }

    function expiresAtOf(bytes32 paymentId) internal view returns (uint64) {
        return escrow.payments(paymentId).expiresAt;
    }

    function assertStatus(bytes32 paymentId, AgentNexusEscrow.Status expected) internal view {
        vm.assertEq(uint256(escrow.payments(paymentId).status), uint256(expected), "status");
    }

    function fee(uint256 amount) internal pure returns (uint256) {
        return amount * FEE_BPS / 10_000;
    }
}
