// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {Quote} from "../../src/Quotes.sol";
import {TestUSDC} from "../../src/local/TestUSDC.sol";
import {AccessModel} from "../support/AccessModel.sol";
import {TestBase} from "../support/TestBase.sol";

/// @dev Does anything, as anybody, at any time, and says beforehand whether it may succeed and who may gain by it.
contract EscrowHandler is TestBase {
    struct Expected {
        bytes32 id;
        AgentNexusEscrow.Status status;
        address payer;
        address creator;
        address recipient;
        address token;
        uint256 amount;
        uint256 feeBps;
        uint256 agentId;
        uint256 releaseAfter;
        uint256 expiresAt;
    }

    uint256 internal constant SIGNER_KEY = 0xA11CE;
    uint256 internal constant FUNDS = 1e30;
    uint256 internal constant AGENTS = 2;

    AgentNexusEscrow public immutable escrow;
    AgentNexusEntitlements public immutable entitlements;
    TestUSDC public immutable usdc;
    AccessModel public immutable model = new AccessModel();
    address public immutable owner;
    address public immutable arbiter;
    /// @dev Everybody: three who buy, sell and give, one who only tries, and who receives the fees at first.
    address[5] public people = [address(0xA1), address(0xA2), address(0xA3), address(0xA4), address(0xA5)];
    address[2] public tokens;

    Expected[] internal expected;
    mapping(address token => mapping(address account => uint256)) public credit;
    mapping(address token => mapping(address account => uint256)) public wealth;
    mapping(uint256 index => AgentNexusEscrow.Status) public lastSeen;
    bool public minterRemoved;

    constructor(AgentNexusEscrow escrow_, TestUSDC usdc_, address owner_, address arbiter_) {
        escrow = escrow_;
        entitlements = AgentNexusEntitlements(address(escrow_.entitlements()));
        usdc = usdc_;
        owner = owner_;
        arbiter = arbiter_;
        tokens = [address(0), address(usdc_)];
        for (uint256 i = 0; i < people.length; ++i) {
            vm.deal(people[i], FUNDS);
            usdc_.mint(people[i], FUNDS);
            wealth[address(0)][people[i]] = FUNDS;
            wealth[address(usdc_)][people[i]] = FUNDS;
            vm.prank(people[i]);
            usdc_.approve(address(escrow_), type(uint256).max);
        }
    }

    function count() external view returns (uint256) {
        return expected.length;
    }

    function expectedAt(uint256 index) external view returns (Expected memory) {
        return expected[index];
    }

    // ---------------------------------------------------------------- what people do

    function pass(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 0, 10 days));
    }

    function deposit(uint256 who, uint256 amount, uint64 duration) public {
        Quote memory quote = Quote({
            agentId: who / 7 % AGENTS,
            creator: people[who / 11 % 3],
            buyer: who % 2 == 0 ? address(0) : people[who % 3],
            recipient: who / 13 % 2 == 0 ? address(0) : people[who / 17 % 3],
            token: tokens[who / 19 % 2],
            amount: bound(amount, 1, 1e26),
            accessDuration: duration % 5 == 0 ? 0 : uint64(bound(duration, 1, 40 days)),
            validUntil: uint64(block.timestamp),
            salt: bytes32(expected.length)
        });
        address payer = people[who % 3];
        if (wealth[quote.token][payer] < quote.amount) return;
        bytes32 id = escrow.hashQuote(quote);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNER_KEY, id);
        bytes memory call = abi.encodeCall(escrow.depositPayment, (quote, abi.encodePacked(r, s, v)));
        uint256 value = quote.token == address(0) ? quote.amount : 0;

        _attempt(payer, value, call, !escrow.paused() && !minterRemoved);
        if (escrow.paused() || minterRemoved) return;

        address recipient = quote.recipient == address(0) ? payer : quote.recipient;
        model.grant(recipient, quote.agentId, expected.length, quote.accessDuration);
        wealth[quote.token][payer] -= quote.amount;
        expected.push(
            Expected({
                id: id,
                status: AgentNexusEscrow.Status.Held,
                payer: payer,
                creator: quote.creator,
                recipient: recipient,
                token: quote.token,
                amount: quote.amount,
                feeBps: escrow.platformFeeBps(),
                agentId: quote.agentId,
                releaseAfter: block.timestamp + escrow.disputeWindow(),
                expiresAt: block.timestamp + escrow.disputeWindow() + escrow.holdPeriod()
            })
        );
    }

    function release(uint256 seed, uint256 who) external {
        if (expected.length == 0) return;
        Expected storage payment = _pick(seed);
        address sender = people[who % people.length];
        bool allowed = isOpen(payment)
            && (sender == payment.payer
                || (payment.status == AgentNexusEscrow.Status.Held
                    && block.timestamp >= payment.releaseAfter
                    && block.timestamp < payment.expiresAt));
        _attempt(sender, 0, abi.encodeCall(escrow.releasePayment, (payment.id)), allowed);
        _watchStatuses();
        if (!allowed) return;
        payment.status = AgentNexusEscrow.Status.Released;
        _creditCreator(payment, payment.amount);
    }

    function refund(uint256 seed, uint256 who) external {
        if (expected.length == 0) return;
        Expected storage payment = _pick(seed);
        address sender = people[who % people.length];
        bool allowed = isOpen(payment) && (sender == payment.creator || block.timestamp >= payment.expiresAt);
        _attempt(sender, 0, abi.encodeCall(escrow.refundPayment, (payment.id)), allowed);
        _watchStatuses();
        if (!allowed) return;
        payment.status = AgentNexusEscrow.Status.Refunded;
        credit[payment.token][payment.payer] += payment.amount;
        _takeBack(payment);
    }

    function openDispute(uint256 seed, uint256 who) external {
        if (expected.length == 0) return;
        Expected storage payment = _pick(seed);
        address sender = people[who % people.length];
        bool allowed = payment.status == AgentNexusEscrow.Status.Held && sender == payment.payer
            && block.timestamp < payment.releaseAfter;
        _attempt(sender, 0, abi.encodeCall(escrow.openDispute, (payment.id, "reason")), allowed);
        _watchStatuses();
        if (allowed) payment.status = AgentNexusEscrow.Status.Disputed;
    }

    function resolve(uint256 seed, uint256 who, uint16 refundBps) external {
        if (expected.length == 0) return;
        Expected storage payment = _pick(seed);
        address sender = who % 4 == 0 ? people[who % people.length] : arbiter;
        refundBps = refundBps % 3 == 0 ? 10_000 : uint16(bound(refundBps, 0, 10_001));
        bool allowed = sender == arbiter && refundBps <= 10_000 && payment.status == AgentNexusEscrow.Status.Disputed
            && block.timestamp < payment.expiresAt;
        _attempt(sender, 0, abi.encodeCall(escrow.resolveDispute, (payment.id, refundBps, "decision")), allowed);
        _watchStatuses();
        if (!allowed) return;
        payment.status = AgentNexusEscrow.Status.Resolved;
        uint256 share = payment.amount * refundBps / 10_000;
        credit[payment.token][payment.payer] += share;
        _creditCreator(payment, payment.amount - share);
        if (refundBps == 10_000) _takeBack(payment);
    }

    /// @dev Half the time to oneself by anybody, half the time by oneself to anybody.
    function withdraw(uint256 who, uint256 account_, bool ether_) external {
        address token = ether_ ? address(0) : address(usdc);
        address account = people[account_ % people.length];
        address other = people[who % people.length];
        uint256 due = credit[token][account];
        if (who % 2 == 0) {
            _attempt(other, 0, abi.encodeCall(escrow.withdraw, (token, account)), due > 0);
            wealth[token][account] += due;
        } else {
            _attempt(account, 0, abi.encodeCall(escrow.withdrawTo, (token, other)), due > 0);
            wealth[token][other] += due;
        }
        credit[token][account] = 0;
    }

    /// @dev What the owner may do, to the worst: the fee, who receives it, the pause, and the escrow's right to mint.
    function administer(uint256 seed, uint256 what) external {
        vm.startPrank(owner);
        if (what % 4 == 0) {
            escrow.setPlatformFee(uint16(seed % 1001));
        } else if (what % 4 == 1) {
            escrow.setFeeRecipient(people[seed % people.length]);
        } else if (escrow.paused()) {
            escrow.unpause();
        } else if (minterRemoved) {
            minterRemoved = false;
            entitlements.setMinter(address(escrow), true);
        } else if (what % 4 == 2) {
            escrow.pause();
        } else {
            minterRemoved = true;
            entitlements.setMinter(address(escrow), false);
        }
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- exits

    /// @dev Tries every exit of a payment at this moment, each undone again. The state may be paused, without minter, and
    /// no key of the platform is used.
    function tryExits(uint256 seed) external {
        if (expected.length > 0) tryExitsOf(seed % expected.length);
    }

    function tryExitsOf(uint256 index) public {
        Expected memory payment = expected[index];
        if (!isOpen(payment)) return;
        address stranger = address(0x5757);
        bytes memory release_ = abi.encodeCall(escrow.releasePayment, (payment.id));
        bytes memory refund_ = abi.encodeCall(escrow.refundPayment, (payment.id));
        bool disputed = payment.status == AgentNexusEscrow.Status.Disputed;
        bool windowOver = block.timestamp >= payment.releaseAfter;
        bool expired = block.timestamp >= payment.expiresAt;

        _attemptAndUndo(payment, payment.payer, release_, true);
        _attemptAndUndo(payment, payment.creator, refund_, true);
        _attemptAndUndo(payment, stranger, release_, windowOver && !expired && !disputed);
        _attemptAndUndo(payment, stranger, refund_, expired);
    }

    function _attemptAndUndo(Expected memory payment, address sender, bytes memory call, bool allowed) private {
        uint256 snapshot = vm.snapshotState();
        uint256 payerBefore = escrow.withdrawable(payment.token, payment.payer);
        uint256 creatorBefore = escrow.withdrawable(payment.token, payment.creator);
        uint256 feesBefore = escrow.withdrawable(payment.token, escrow.feeRecipient());
        _attempt(sender, 0, call, allowed);
        bool moved = escrow.withdrawable(payment.token, payment.payer) > payerBefore
            || escrow.withdrawable(payment.token, payment.creator) > creatorBefore
            || escrow.withdrawable(payment.token, escrow.feeRecipient()) > feesBefore;
        vm.assertEq(moved, allowed, "an exit credits somebody, a refusal nobody");
        vm.revertToState(snapshot);
    }

    // ---------------------------------------------------------------- inside

    function _attempt(address sender, uint256 value, bytes memory call, bool allowed) private {
        vm.prank(sender);
        (bool success,) = address(escrow).call{value: value}(call);
        vm.assertEq(success, allowed, "allowed");
    }

    /// @dev A status only ever moves on: held, perhaps disputed, then one end for good.
    function _watchStatuses() private {
        for (uint256 i = 0; i < expected.length; ++i) {
            AgentNexusEscrow.Status before = lastSeen[i];
            AgentNexusEscrow.Status status = escrow.payments(expected[i].id).status;
            if (uint256(before) > uint256(AgentNexusEscrow.Status.Disputed)) {
                vm.assertEq(uint256(status), uint256(before), "an end is for good");
            }
            vm.assertLe(uint256(before), uint256(status), "a status went back");
            lastSeen[i] = status;
        }
    }

    function _creditCreator(Expected storage payment, uint256 amount) private {
        uint256 fee = amount * payment.feeBps / 10_000;
        credit[payment.token][payment.creator] += amount - fee;
        credit[payment.token][escrow.feeRecipient()] += fee;
    }

    function _takeBack(Expected storage payment) private {
        if (!minterRemoved) model.takeBack(payment.recipient, payment.agentId, _indexOf(payment.id));
    }

    function _pick(uint256 seed) private view returns (Expected storage) {
        uint256 recent = expected.length < 6 ? expected.length : 6;
        return expected[seed % 3 == 0 ? seed % expected.length : expected.length - 1 - seed % recent];
    }

    function _indexOf(bytes32 id) private view returns (uint256 index) {
        while (expected[index].id != id) ++index;
    }

    function isOpen(Expected memory payment) public pure returns (bool) {
        return payment.status == AgentNexusEscrow.Status.Held || payment.status == AgentNexusEscrow.Status.Disputed;
    }
}
