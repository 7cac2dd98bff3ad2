// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Quote} from "../../src/Quotes.sol";

/// @dev The measure for `bench-gas`: the same rules in the plainest way, out of OpenZeppelin's parts. One slot for each
/// field; access is minted by an operator in a second transaction, and taken back by the operator after a refund.
contract NaiveEntitlements is ERC1155, AccessControl {
    bytes32 public constant OPERATOR = keccak256("OPERATOR");
    mapping(address holder => mapping(uint256 agentId => uint256)) public expiresAt;

    constructor() ERC1155("") {
        _grantRole(DEFAULT_ADMIN_ROLE, msg.sender);
        _grantRole(OPERATOR, msg.sender);
    }

    function mintToken(address to, uint256 agentId, uint256 duration) external onlyRole(OPERATOR) {
        uint256 from = expiresAt[to][agentId] > block.timestamp ? expiresAt[to][agentId] : block.timestamp;
        expiresAt[to][agentId] = from + duration;
        if (balanceOf(to, agentId) == 0) _mint(to, agentId, 1, "");
    }

    function takeBackToken(address holder, uint256 agentId, uint256 duration) external onlyRole(OPERATOR) {
        uint256 rest = expiresAt[holder][agentId] - duration;
        expiresAt[holder][agentId] = rest > block.timestamp ? rest : 0;
        if (expiresAt[holder][agentId] == 0) _burn(holder, agentId, 1);
    }

    function supportsInterface(bytes4 interfaceId) public view override(ERC1155, AccessControl) returns (bool) {
        return super.supportsInterface(interfaceId);
    }
}

contract NaiveEscrow is AccessControl, Pausable, ReentrancyGuard, EIP712 {
    using SafeERC20 for IERC20;

    enum Status {
        None,
        Held,
        Released,
        Refunded
    }

    struct Payment {
        uint256 agentId;
        address payer;
        address creator;
        address recipient;
        address token;
        uint256 amount;
        uint256 feeBps;
        uint256 accessDuration;
        uint256 releaseAfter;
        uint256 expiresAt;
        Status status;
    }

    bytes32 public constant SIGNER = keccak256("SIGNER");
    bytes32 private constant TYPEHASH = keccak256(
        "Quote(uint256 agentId,address creator,address buyer,address recipient,address token,uint256 amount,uint64 accessDuration,uint64 validUntil,bytes32 salt)"
    );

    uint256 public feeBps = 250;
    address public feeRecipient;
    mapping(address token => bool) public isTokenSupported;
    mapping(bytes32 paymentId => Payment) public payments;
    mapping(address token => mapping(address account => uint256)) public withdrawable;

    event PaymentDeposited(bytes32 indexed paymentId, address indexed payer, address indexed creator, uint256 amount);
    event PaymentReleased(bytes32 indexed paymentId, uint256 creatorAmount, uint256 feeAmount);
    event PaymentRefunded(bytes32 indexed paymentId, uint256 amount);
    event Withdrawn(address indexed token, address indexed account, uint256 amount);

    constructor(address signer, address feeRecipient_) EIP712("NaiveEscrow", "1") {
        _grantRole(DEFAULT_ADMIN_ROLE, msg.sender);
        _grantRole(SIGNER, signer);
        feeRecipient = feeRecipient_;
    }

    function setTokenSupported(address token, bool supported) external onlyRole(DEFAULT_ADMIN_ROLE) {
        isTokenSupported[token] = supported;
    }

    function hashQuote(Quote calldata quote) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(TYPEHASH, quote)));
    }

    function depositPayment(Quote calldata quote, bytes calldata signature)
        external
        payable
        nonReentrant
        whenNotPaused
        returns (bytes32 paymentId)
    {
        paymentId = hashQuote(quote);
        require(payments[paymentId].status == Status.None, "exists");
        require(hasRole(SIGNER, ECDSA.recover(paymentId, signature)), "signature");
        require(block.timestamp <= quote.validUntil, "expired");
        require(isTokenSupported[quote.token], "token");
        require(quote.buyer == msg.sender && quote.amount > 0, "quote");
        Payment storage payment = payments[paymentId];
        payment.agentId = quote.agentId;
        payment.payer = msg.sender;
        payment.creator = quote.creator;
        payment.recipient = quote.recipient;
        payment.token = quote.token;
        payment.amount = quote.amount;
        payment.feeBps = feeBps;
        payment.accessDuration = quote.accessDuration;
        payment.releaseAfter = block.timestamp + 3 days;
        payment.expiresAt = block.timestamp + 33 days;
        payment.status = Status.Held;
        if (quote.token == address(0)) {
            require(msg.value == quote.amount, "value");
        } else {
            uint256 before = IERC20(quote.token).balanceOf(address(this));
            IERC20(quote.token).safeTransferFrom(msg.sender, address(this), quote.amount);
            require(IERC20(quote.token).balanceOf(address(this)) - before == quote.amount, "received");
        }
        emit PaymentDeposited(paymentId, msg.sender, quote.creator, quote.amount);
    }

    function releasePayment(bytes32 paymentId) external nonReentrant {
        Payment storage payment = payments[paymentId];
        require(payment.status == Status.Held, "status");
        require(
            msg.sender == payment.payer
                || (block.timestamp >= payment.releaseAfter && block.timestamp < payment.expiresAt),
            "not open"
        );
        payment.status = Status.Released;
        uint256 fee = payment.amount * payment.feeBps / 10_000;
        withdrawable[payment.token][payment.creator] += payment.amount - fee;
        withdrawable[payment.token][feeRecipient] += fee;
        emit PaymentReleased(paymentId, payment.amount - fee, fee);
    }

    function refundPayment(bytes32 paymentId) external nonReentrant {
        Payment storage payment = payments[paymentId];
        require(payment.status == Status.Held, "status");
        require(msg.sender == payment.creator || block.timestamp >= payment.expiresAt, "not open");
        payment.status = Status.Refunded;
        withdrawable[payment.token][payment.payer] += payment.amount;
        emit PaymentRefunded(paymentId, payment.amount);
    }

    function withdraw(address token, address account) external nonReentrant {
        uint256 amount = withdrawable[token][account];
        require(amount > 0, "nothing");
        withdrawable[token][account] = 0;
        emit Withdrawn(token, account, amount);
        if (token != address(0)) {
            IERC20(token).safeTransfer(account, amount);
        } else {
            (bool success,) = account.call{value: amount}("");
            require(success, "refused");
        }
    }
}
