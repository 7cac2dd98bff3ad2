// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {EscrowSettings} from "./EscrowSettings.sol";
import {IAgentNexusEntitlements} from "./interfaces/IAgentNexusEntitlements.sol";
import {IERC3009} from "./interfaces/IERC3009.sol";
import {Quote, Quotes} from "./Quotes.sol";
import {Withdrawals} from "./Withdrawals.sol";

/// @title Holds what buyers pay until it is due
/// @notice A buyer pays a quote signed by the platform and gets access in the same transaction. The money waits:
///
///     deposit ............ releaseAfter ............ expiresAt ............
///     payer may dispute    anyone may release        anyone may refund
///                          (unless disputed)
///                          <- arbiter may resolve ->
///
/// At every time the payer may release and the creator may refund, so no payment depends on any key of the platform.
/// The arbiter may resolve a dispute from the moment it is opened until `expiresAt`.
/// A payment's id is the EIP-712 digest of its quote: it binds the chain, this contract and every term.
contract AgentNexusEscrow is EscrowSettings, Withdrawals, EIP712 {
    using SafeERC20 for IERC20;

    enum Status {
        None,
        Held,
        Disputed,
        Released,
        Refunded,
        Resolved
    }

    /// @notice A payment as `payments` shows it. Amounts in wei or token units, times in unix seconds.
    struct Payment {
        Status status;
        address payer;
        address creator;
        address recipient;
        address token;
        uint256 agentId;
        uint256 amount;
        uint16 feeBps;
        uint64 accessDuration;
        uint64 depositedAt;
        uint64 releaseAfter;
        uint64 expiresAt;
    }

    /// @dev A payment as it is stored, in three slots. What a refund after `expiresAt` reads lies in the first two.
    struct Record {
        address payer;
        uint88 amount;
        Status status;
        // second slot
        address token;
        uint32 depositedAt;
        uint32 accessDuration;
        uint32 accessDelay; // seconds from the deposit to the start of the access bought
        // third slot
        address creator;
        uint16 feeBps;
        uint32 agentId;
        uint32 accessRun;
        bool isGift;
    }

    /// @notice The highest amount of one payment, in wei or token units (309 million ether).
    uint256 public constant MAX_AMOUNT = type(uint88).max;
    /// @notice The longest dispute window and the longest hold period, in seconds.
    uint64 public constant MAX_PERIOD = 365 days;

    /// @notice Where access is recorded.
    IAgentNexusEntitlements public immutable entitlements;
    /// @notice Seconds after the deposit in which the payer may open a dispute and nobody else may release.
    uint64 public immutable disputeWindow;
    /// @notice Seconds after the dispute window in which anyone may release and the arbiter may resolve.
    uint64 public immutable holdPeriod;

    mapping(bytes32 paymentId => Record) private _records;
    /// @dev Only for payments whose recipient is not the payer.
    mapping(bytes32 paymentId => address) private _giftRecipients;

    event PaymentDeposited(
        bytes32 indexed paymentId,
        uint256 indexed agentId,
        address indexed recipient,
        address payer,
        address creator,
        address token,
        uint256 amount,
        uint16 feeBps,
        uint64 accessDuration,
        uint64 releaseAfter,
        uint64 expiresAt
    );
    event PaymentReleased(bytes32 indexed paymentId, uint256 creatorAmount, uint256 feeAmount);
    event PaymentRefunded(bytes32 indexed paymentId, uint256 amount);
    event DisputeOpened(bytes32 indexed paymentId, address indexed by, bytes32 reasonHash);
    event DisputeResolved(
        bytes32 indexed paymentId, uint256 refundAmount, uint256 creatorAmount, uint256 feeAmount, bytes32 reasonHash
    );
    /// @notice The money went back but the entitlements contract refused to take back the access.
    event AccessNotTakenBack(bytes32 indexed paymentId);

    error PeriodOutOfRange(uint64 period, uint64 maximum);
    error WrongValue(uint256 sent, uint256 expected);
    error EtherNotAllowed();
    error TokenNotSupported(address token);
    error AmountOutOfRange(uint256 amount, uint256 maximum);
    error QuoteExpired(uint64 validUntil, uint256 currentTime);
    error NotQuotedBuyer(address payer, address buyer);
    error NotSignedByQuoteSigner(address recovered, address quoteSigner);
    error PaymentExists(bytes32 paymentId);
    error WrongTokenAmount(address token, uint256 expected, uint256 received);
    error WrongStatus(bytes32 paymentId, Status status);
    error ReleaseNotOpen(bytes32 paymentId, uint64 releaseAfter, uint64 expiresAt, uint256 currentTime);
    error RefundNotOpen(bytes32 paymentId, uint64 expiresAt, uint256 currentTime);
    error NotPayer(bytes32 paymentId, address caller);
    error DisputeWindowOver(bytes32 paymentId, uint64 releaseAfter, uint256 currentTime);
    error NotArbiter(address caller, address arbiter);
    error ResolutionOver(bytes32 paymentId, uint64 expiresAt, uint256 currentTime);
    error RefundShareTooHigh(uint16 refundBps, uint16 maximum);
    error NotEnoughGas();

    /// @param owner_ May change the settings
    /// @param entitlements_ Where access is recorded; must name this contract a minter
    /// @param quoteSigner_ Signs quotes
    /// @param arbiter_ Decides disputes
    /// @param feeRecipient_ Receives fees
    /// @param feeBps_ The platform's fee in basis points
    /// @param disputeWindow_ Seconds, at least 1
    /// @param holdPeriod_ Seconds, at least 1
    constructor(
        address owner_,
        address entitlements_,
        address quoteSigner_,
        address arbiter_,
        address feeRecipient_,
        uint16 feeBps_,
        uint64 disputeWindow_,
        uint64 holdPeriod_
    ) EscrowSettings(owner_, quoteSigner_, arbiter_, feeRecipient_, feeBps_) EIP712("AgentNexusEscrow", "1") {
        if (entitlements_ == address(0)) revert ZeroAddress();
        if (disputeWindow_ == 0 || disputeWindow_ > MAX_PERIOD) revert PeriodOutOfRange(disputeWindow_, MAX_PERIOD);
        if (holdPeriod_ == 0 || holdPeriod_ > MAX_PERIOD) revert PeriodOutOfRange(holdPeriod_, MAX_PERIOD);
        entitlements = IAgentNexusEntitlements(entitlements_);
        disputeWindow = disputeWindow_;
        holdPeriod = holdPeriod_;
    }

    // ---------------------------------------------------------------- paying

    /// @notice Pays a quote in ether or in an allowance of its token.
    /// @param quote The terms
    /// @param signature The quote signer's EIP-712 signature of them
    /// @return paymentId The digest of the quote
    function depositPayment(Quote calldata quote, bytes calldata signature)
        external
        payable
        nonReentrant
        whenNotPaused
        returns (bytes32 paymentId)
    {
        paymentId = _open(quote, signature, msg.sender);
        if (quote.token == address(0)) {
            if (msg.value != quote.amount) revert WrongValue(msg.value, quote.amount);
        } else {
            if (msg.value != 0) revert WrongValue(msg.value, 0);
            _pullAllowance(quote);
        }
        _grant(paymentId, quote, msg.sender);
    }

    /// @notice Pays a quote in a token with EIP-2612, which needs no approval beforehand.
    /// @dev A permit that fails is passed over: somebody may have sent it before us, and then the allowance is there.
    /// @param deadline Of the permit for the quote's amount, from the caller to this contract
    function depositWithPermit(
        Quote calldata quote,
        bytes calldata signature,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant whenNotPaused returns (bytes32 paymentId) {
        paymentId = _open(quote, signature, msg.sender);
        if (quote.token == address(0)) revert EtherNotAllowed();
        try IERC20Permit(quote.token).permit(msg.sender, address(this), quote.amount, deadline, v, r, s) {} catch {}
        _pullAllowance(quote);
        _grant(paymentId, quote, msg.sender);
    }

    /// @notice Pays a quote in a token with ERC-3009. Anyone may send this for `payer`.
    /// @dev The authorisation's nonce must be the payment id, so that it can pay for nothing but this quote.
    /// @param payer Who signed the authorisation, and who has the rights of the buyer
    /// @param validAfter,validBefore As in the authorisation
    /// @param authorization The payer's signature of `receiveWithAuthorization` to this contract
    function depositWithAuthorization(
        Quote calldata quote,
        bytes calldata signature,
        address payer,
        uint256 validAfter,
        uint256 validBefore,
        bytes calldata authorization
    ) external nonReentrant whenNotPaused returns (bytes32 paymentId) {
        paymentId = _open(quote, signature, payer);
        if (quote.token == address(0)) revert EtherNotAllowed();
        uint256 balanceBefore = IERC20(quote.token).balanceOf(address(this));
        IERC3009(quote.token)
            .receiveWithAuthorization(
                payer, address(this), quote.amount, validAfter, validBefore, paymentId, authorization
            );
        _requireReceived(quote, balanceBefore);
        _grant(paymentId, quote, payer);
    }

    // ---------------------------------------------------------------- settling

    /// @notice Credits the creator and the platform. The payer may call this at any time, anyone else from
    /// `releaseAfter` until `expiresAt` unless the payment is disputed.
    function releasePayment(bytes32 paymentId) external nonReentrant {
        Record storage record = _openRecord(paymentId);
        if (msg.sender != record.payer) {
            if (record.status == Status.Disputed) revert WrongStatus(paymentId, Status.Disputed);
            (uint64 releaseAfter, uint64 expiresAt) = _deadlines(record.depositedAt);
            if (block.timestamp < releaseAfter || block.timestamp >= expiresAt) {
                revert ReleaseNotOpen(paymentId, releaseAfter, expiresAt, block.timestamp);
            }
        }
        record.status = Status.Released;
        (uint256 creatorAmount, uint256 feeAmount) = _creditCreator(record, record.amount);
        emit PaymentReleased(paymentId, creatorAmount, feeAmount);
    }

    /// @notice Credits the whole amount back to the payer and takes back the access that it bought. The creator may
    /// call this at any time, anyone else from `expiresAt`.
    function refundPayment(bytes32 paymentId) external nonReentrant {
        Record storage record = _openRecord(paymentId);
        (, uint64 expiresAt) = _deadlines(record.depositedAt);
        if (block.timestamp < expiresAt && msg.sender != record.creator) {
            revert RefundNotOpen(paymentId, expiresAt, block.timestamp);
        }
        uint256 amount = record.amount;
        record.status = Status.Refunded;
        _credit(record.token, record.payer, amount);
        emit PaymentRefunded(paymentId, amount);
        _takeBackAccess(paymentId, record);
    }

    /// @notice Stops the release of a payment to the arbiter's judgement. For the payer, before `releaseAfter`.
    /// @param reasonHash Hash of the reason, which is kept off the chain
    function openDispute(bytes32 paymentId, bytes32 reasonHash) external nonReentrant {
        Record storage record = _records[paymentId];
        if (record.status != Status.Held) revert WrongStatus(paymentId, record.status);
        if (msg.sender != record.payer) revert NotPayer(paymentId, msg.sender);
        (uint64 releaseAfter,) = _deadlines(record.depositedAt);
        if (block.timestamp >= releaseAfter) revert DisputeWindowOver(paymentId, releaseAfter, block.timestamp);
        record.status = Status.Disputed;
        emit DisputeOpened(paymentId, msg.sender, reasonHash);
    }

    /// @notice Divides a disputed payment between the payer and the creator. For the arbiter, before `expiresAt`.
    /// @dev The platform's fee is taken of the creator's share only. Access is taken back with a full refund only.
    /// @param refundBps The payer's share of the amount in basis points
    /// @param reasonHash Hash of the decision, which is kept off the chain
    function resolveDispute(bytes32 paymentId, uint16 refundBps, bytes32 reasonHash) external nonReentrant {
        if (msg.sender != arbiter) revert NotArbiter(msg.sender, arbiter);
        if (refundBps > BPS) revert RefundShareTooHigh(refundBps, BPS);
        Record storage record = _records[paymentId];
        if (record.status != Status.Disputed) revert WrongStatus(paymentId, record.status);
        (, uint64 expiresAt) = _deadlines(record.depositedAt);
        if (block.timestamp >= expiresAt) revert ResolutionOver(paymentId, expiresAt, block.timestamp);
        record.status = Status.Resolved;
        uint256 refundAmount = uint256(record.amount) * refundBps / BPS;
        _credit(record.token, record.payer, refundAmount);
        (uint256 creatorAmount, uint256 feeAmount) = _creditCreator(record, record.amount - refundAmount);
        emit DisputeResolved(paymentId, refundAmount, creatorAmount, feeAmount, reasonHash);
        if (refundBps == BPS) _takeBackAccess(paymentId, record);
    }

    // ---------------------------------------------------------------- reading

    /// @notice The EIP-712 digest of a quote, which its signer signs and which is the id of its payment.
    function hashQuote(Quote calldata quote) public view returns (bytes32) {
        return _hashTypedDataV4(Quotes.structHash(quote));
    }

    /// @notice A payment by its id; `status` is None when there is none.
    function payments(bytes32 paymentId) external view returns (Payment memory payment) {
        Record storage record = _records[paymentId];
        if (record.status == Status.None) return payment;
        (uint64 releaseAfter, uint64 expiresAt) = _deadlines(record.depositedAt);
        payment = Payment({
            status: record.status,
            payer: record.payer,
            creator: record.creator,
            recipient: _recipient(paymentId, record),
            token: record.token,
            agentId: record.agentId,
            amount: record.amount,
            feeBps: record.feeBps,
            accessDuration: record.accessDuration,
            depositedAt: record.depositedAt,
            releaseAfter: releaseAfter,
            expiresAt: expiresAt
        });
    }

    // ---------------------------------------------------------------- inside

    /// @dev Checks everything about a quote and records its payment as held. The money must follow, or all is undone.
    function _open(Quote calldata quote, bytes calldata signature, address payer) private returns (bytes32 paymentId) {
        paymentId = hashQuote(quote);
        if (_records[paymentId].status != Status.None) revert PaymentExists(paymentId);
        // A signature that recovers to nothing recovers to 0, which is never the signer.
        // slither-disable-next-line unused-return
        (address signer,,) = ECDSA.tryRecoverCalldata(paymentId, signature);
        if (signer != quoteSigner) revert NotSignedByQuoteSigner(signer, quoteSigner);
        if (block.timestamp > quote.validUntil) revert QuoteExpired(quote.validUntil, block.timestamp);
        if (quote.buyer != address(0) && quote.buyer != payer) revert NotQuotedBuyer(payer, quote.buyer);
        if (!isTokenSupported[quote.token]) revert TokenNotSupported(quote.token);
        if (quote.amount == 0 || quote.amount > MAX_AMOUNT) revert AmountOutOfRange(quote.amount, MAX_AMOUNT);
        if (quote.creator == address(0)) revert ZeroAddress();

        _record(paymentId, quote, payer);
    }

    function _record(bytes32 paymentId, Quote calldata quote, address payer) private {
        address recipient = _quotedRecipient(quote, payer);
        bool isGift = recipient != payer;
        if (isGift) _giftRecipients[paymentId] = recipient;
        uint16 feeBps = platformFeeBps;
        _records[paymentId] = Record({
            payer: payer,
            amount: uint88(quote.amount),
            status: Status.Held,
            token: quote.token,
            depositedAt: SafeCast.toUint32(block.timestamp),
            accessDuration: SafeCast.toUint32(quote.accessDuration),
            accessDelay: 0,
            creator: quote.creator,
            feeBps: feeBps,
            agentId: SafeCast.toUint32(quote.agentId),
            accessRun: 0,
            isGift: isGift
        });
        (uint64 releaseAfter, uint64 expiresAt) = _deadlines(uint32(block.timestamp));
        emit PaymentDeposited(
            paymentId,
            quote.agentId,
            recipient,
            payer,
            quote.creator,
            quote.token,
            quote.amount,
            feeBps,
            quote.accessDuration,
            releaseAfter,
            expiresAt
        );
    }

    function _pullAllowance(Quote calldata quote) private {
        uint256 balanceBefore = IERC20(quote.token).balanceOf(address(this));
        IERC20(quote.token).safeTransferFrom(msg.sender, address(this), quote.amount);
        _requireReceived(quote, balanceBefore);
    }

    function _requireReceived(Quote calldata quote, uint256 balanceBefore) private view {
        uint256 balanceAfter = IERC20(quote.token).balanceOf(address(this));
        uint256 received = balanceAfter > balanceBefore ? balanceAfter - balanceBefore : 0;
        if (received != quote.amount) revert WrongTokenAmount(quote.token, quote.amount, received);
    }

    /// @dev Comes last, as the recipient may be a contract that is called. What the entitlements contract answers is
    /// kept for a refund; nothing can be refunded before, as every operation is guarded against reentrancy.
    function _grant(bytes32 paymentId, Quote calldata quote, address payer) private {
        (uint64 start, uint32 run) =
            entitlements.mintToken(_quotedRecipient(quote, payer), quote.agentId, quote.accessDuration);
        Record storage record = _records[paymentId];
        if (start > block.timestamp) record.accessDelay = SafeCast.toUint32(start - block.timestamp);
        record.accessRun = run;
    }

    /// @dev The money's way out never depends on the entitlements contract: if that refuses, the refund stands and an
    /// event says so. But it may not fail merely because the caller sent too little gas (EIP-150 keeps 1/64 back).
    function _takeBackAccess(bytes32 paymentId, Record storage record) private {
        uint64 duration = record.accessDuration;
        uint64 start = duration == 0 ? 0 : uint64(record.depositedAt) + record.accessDelay;
        if (duration != 0 && start + duration <= block.timestamp) return; // used up
        address recipient = _recipient(paymentId, record);
        uint256 gasBefore = gasleft();
        // How much was taken back makes no difference here, and the event comes after a call to our own contract.
        // slither-disable-next-line unused-return,reentrancy-events
        try entitlements.takeBackToken(recipient, record.agentId, duration, start, record.accessRun) {}
        catch {
            if (gasleft() <= gasBefore / 63) revert NotEnoughGas();
            emit AccessNotTakenBack(paymentId);
        }
    }

    function _creditCreator(Record storage record, uint256 amount)
        private
        returns (uint256 creatorAmount, uint256 feeAmount)
    {
        feeAmount = amount * record.feeBps / BPS;
        creatorAmount = amount - feeAmount;
        _credit(record.token, record.creator, creatorAmount);
        _credit(record.token, feeRecipient, feeAmount);
    }

    /// @dev The record of a payment whose money is still here.
    function _openRecord(bytes32 paymentId) private view returns (Record storage record) {
        record = _records[paymentId];
        Status status = record.status;
        if (status != Status.Held && status != Status.Disputed) revert WrongStatus(paymentId, status);
    }

    function _deadlines(uint64 depositedAt) private view returns (uint64 releaseAfter, uint64 expiresAt) {
        releaseAfter = depositedAt + disputeWindow;
        expiresAt = releaseAfter + holdPeriod;
    }

    function _quotedRecipient(Quote calldata quote, address payer) private pure returns (address) {
        return quote.recipient == address(0) ? payer : quote.recipient;
    }

    function _recipient(bytes32 paymentId, Record storage record) private view returns (address) {
        return record.isGift ? _giftRecipients[paymentId] : record.payer;
    }
}
