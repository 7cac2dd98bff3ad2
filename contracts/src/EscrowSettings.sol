// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title What the owner of the escrow may change
/// @notice None of it reaches money that is already in escrow: the fee is fixed at deposit, a token that is no longer
/// supported can still leave, and the pause stops deposits only.
abstract contract EscrowSettings is Ownable2Step, Pausable {
    /// @notice The highest platform fee, in basis points.
    uint16 public constant MAX_FEE_BPS = 1000;
    uint16 internal constant BPS = 10_000;

    // The fee lies beside the pause flag, so that a deposit reads both at once.
    /// @notice The fee of deposits made from now on, in basis points of the amount.
    uint16 public platformFeeBps;
    /// @notice Whose signature makes a quote payable.
    address public quoteSigner;
    /// @notice Who decides disputes.
    address public arbiter;
    /// @notice Whose credit the fees are added to.
    address public feeRecipient;
    /// @notice Whether deposits in a token are taken; the zero address is ether.
    mapping(address token => bool) public isTokenSupported;

    event PlatformFeeChanged(uint16 feeBps);
    event QuoteSignerChanged(address indexed quoteSigner);
    event ArbiterChanged(address indexed arbiter);
    event FeeRecipientChanged(address indexed feeRecipient);
    event TokenSupportChanged(address indexed token, bool supported);

    error ZeroAddress();
    error FeeTooHigh(uint16 feeBps, uint16 maximum);
    error TokenHasNoCode(address token);
    error RenouncingDisabled();

    constructor(address owner_, address quoteSigner_, address arbiter_, address feeRecipient_, uint16 feeBps_)
        Ownable(owner_)
    {
        _setQuoteSigner(quoteSigner_);
        _setArbiter(arbiter_);
        _setFeeRecipient(feeRecipient_);
        _setPlatformFee(feeBps_);
        isTokenSupported[address(0)] = true;
        emit TokenSupportChanged(address(0), true);
    }

    /// @notice Sets the fee of later deposits, in basis points.
    function setPlatformFee(uint16 feeBps) external onlyOwner {
        _setPlatformFee(feeBps);
    }

    /// @notice Names who receives fees, also those of payments already held.
    function setFeeRecipient(address feeRecipient_) external onlyOwner {
        _setFeeRecipient(feeRecipient_);
    }

    /// @notice Names the key that signs quotes. Quotes signed by the one before can no longer be paid.
    function setQuoteSigner(address quoteSigner_) external onlyOwner {
        _setQuoteSigner(quoteSigner_);
    }

    /// @notice Names who decides disputes, also those already open.
    function setArbiter(address arbiter_) external onlyOwner {
        _setArbiter(arbiter_);
    }

    /// @notice Allows or ends deposits in `token`; the zero address is ether.
    /// @dev Only plain ERC-20s belong here: one whose balances change by themselves would break the books.
    function setTokenSupported(address token, bool supported) external onlyOwner {
        if (supported && token != address(0) && token.code.length == 0) revert TokenHasNoCode(token);
        isTokenSupported[token] = supported;
        emit TokenSupportChanged(token, supported);
    }

    /// @notice Stops deposits. Every way out stays open.
    function pause() external onlyOwner {
        _pause();
    }

    /// @notice Takes deposits again.
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @notice Refused: without an owner a lost quote key or arbiter could never be replaced.
    function renounceOwnership() public view override onlyOwner {
        revert RenouncingDisabled();
    }

    function _setPlatformFee(uint16 feeBps) private {
        if (feeBps > MAX_FEE_BPS) revert FeeTooHigh(feeBps, MAX_FEE_BPS);
        platformFeeBps = feeBps;
        emit PlatformFeeChanged(feeBps);
    }

    function _setFeeRecipient(address feeRecipient_) private {
        if (feeRecipient_ == address(0)) revert ZeroAddress();
        feeRecipient = feeRecipient_;
        emit FeeRecipientChanged(feeRecipient_);
    }

    function _setQuoteSigner(address quoteSigner_) private {
        if (quoteSigner_ == address(0)) revert ZeroAddress();
        quoteSigner = quoteSigner_;
        emit QuoteSignerChanged(quoteSigner_);
    }

    function _setArbiter(address arbiter_) private {
        if (arbiter_ == address(0)) revert ZeroAddress();
        arbiter = arbiter_;
        emit ArbiterChanged(arbiter_);
    }
}
