// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {IERC1155MetadataURI} from "@openzeppelin/contracts/token/ERC1155/extensions/IERC1155MetadataURI.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ERC165, IERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";

import {IAgentNexusEntitlements} from "./interfaces/IAgentNexusEntitlements.sol";

/// @title Who may run which agent, and until when
/// @notice One ERC-1155 token per agent. A holder has at most one, bound to them, with an expiry of its own.
///
/// Grants of limited time queue up: each begins where the one before ends. An uninterrupted stretch of such grants is a
/// *run*. Taking a grant back removes the part of it that has not been used and moves the later grants of the run
/// forward, so that every other grant still lasts as long as was paid for.
///
/// Grants for life are counted beside the run, which goes on beneath them: when the last one is taken back, the timed
/// access that was there before shows again.
contract AgentNexusEntitlements is IAgentNexusEntitlements, IERC1155MetadataURI, ERC165, Ownable2Step {
    /// @dev `expiresAt` and `EntitlementChanged.expiresAt` of access for life.
    uint64 public constant LIFETIME = type(uint64).max;
    /// @notice The longest timed grant, in seconds (136 years).
    uint64 public constant MAX_DURATION = type(uint32).max;
    /// @notice How many grants of one run can be taken back out of order.
    uint256 public constant MAX_GAPS = 32;

    /// @dev One slot per holder and agent.
    struct Access {
        /// End of the timed access in unix seconds; 0 when there is none.
        uint64 expiresAt;
        /// Seconds taken back from the middle of the run so far. `expiresAt + shift` is where the next grant begins.
        uint64 shift;
        /// Number of the current, or else the last, run.
        uint32 run;
        /// The run that the last setting by hand began; grants for life from before it are void.
        uint32 fixedRun;
        /// Grants for life.
        uint32 lifetimes;
        /// Gaps in the current run.
        uint32 gaps;
    }

    /// @dev A grant taken back while others were queued behind it.
    struct Gap {
        uint64 start;
        uint64 length;
    }

    mapping(address account => bool) public isMinter;
    mapping(address holder => mapping(uint256 agentId => Access)) private _access;
    mapping(address holder => mapping(uint256 agentId => mapping(uint32 run => mapping(uint256 index => Gap)))) private
        _gaps;
    mapping(uint256 agentId => string) private _uris;

    /// @notice The access of `holder` changed: 0 is none, 2**64-1 is for life.
    event EntitlementChanged(address indexed holder, uint256 indexed agentId, uint64 expiresAt);
    /// @notice `minter` may, or may no longer, change entitlements.
    event MinterChanged(address indexed minter, bool allowed);

    error ZeroAddress();
    error NotMinter(address caller);
    error NotTransferable();
    error DurationTooLong(uint64 duration, uint64 maximum);
    error ExpiryNotInFuture(uint64 expiresAt, uint256 currentTime);
    error NothingToRevoke(address holder, uint256 agentId);
    error RecipientCannotReceive(address recipient);
    error TooManyGaps(address holder, uint256 agentId, uint256 maximum);
    error LengthMismatch(uint256 accounts, uint256 ids);
    error RenouncingDisabled();

    modifier onlyMinter() {
        if (!isMinter[msg.sender]) revert NotMinter(msg.sender);
        _;
    }

    /// @param owner_ May name minters
    constructor(address owner_) Ownable(owner_) {}

    // ---------------------------------------------------------------- granting

    /// @inheritdoc IAgentNexusEntitlements
    function mintToken(address holder, uint256 agentId, uint64 duration)
        external
        onlyMinter
        returns (uint64 start, uint32 run)
    {
        if (holder == address(0)) revert ZeroAddress();
        if (duration > MAX_DURATION) revert DurationTooLong(duration, MAX_DURATION);
        Access storage access = _access[holder][agentId];
        bool isNew = !_exists(access);
        uint64 expiry = access.expiresAt;
        if (duration == 0) {
            access.lifetimes += 1;
        } else if (expiry <= block.timestamp) {
            start = uint64(block.timestamp);
            _beginRun(access, start + duration);
        } else {
            start = expiry + access.shift;
            access.expiresAt = expiry + duration;
        }
        run = access.run;
        _announce(access, holder, agentId);
        if (isNew) _create(holder, agentId);
    }

    /// @inheritdoc IAgentNexusEntitlements
    /// @dev Each grant may be taken back once. Returns 0, and changes nothing, when the grant is of a run that has ended
    /// or was set by hand since.
    function takeBackToken(address holder, uint256 agentId, uint64 duration, uint64 start, uint32 run)
        external
        onlyMinter
        returns (uint64 taken)
    {
        Access storage access = _access[holder][agentId];
        if (duration == 0) {
            if (run < access.fixedRun || access.lifetimes == 0) return 0;
            access.lifetimes -= 1;
            taken = LIFETIME;
        } else {
            if (run != access.run) return 0;
            mapping(uint256 index => Gap) storage gaps = _gaps[holder][agentId][run];
            uint32 gapCount = access.gaps;
            taken = _unused(gaps, gapCount, start, duration);
            // slither-disable-next-line incorrect-equality
            if (taken == 0) return 0; // counted seconds, not a balance that somebody could push off zero
            uint64 expiry = access.expiresAt;
            uint64 shift = access.shift;
            uint64 rest = expiry - taken;
            if (rest <= block.timestamp) {
                rest = 0;
            } else if (start + duration != expiry + shift) {
                // Others are queued behind this grant: they move forward.
                if (gapCount == MAX_GAPS) revert TooManyGaps(holder, agentId, MAX_GAPS);
                gaps[gapCount] = Gap(start, taken);
                access.gaps = gapCount + 1;
                access.shift = shift + taken;
            }
            access.expiresAt = rest;
        }
        _announce(access, holder, agentId);
        if (!_exists(access)) _destroy(holder, agentId);
    }

    /// @notice Sets the access of `holder` by hand, whatever was granted before.
    /// @dev Begins a new run, so that no earlier grant can be taken back from what was set here.
    /// @param expiresAt_ Unix seconds in the future, or 2**64-1 for life
    function setTokenExpiry(address holder, uint256 agentId, uint64 expiresAt_) external onlyMinter {
        if (holder == address(0)) revert ZeroAddress();
        if (expiresAt_ <= block.timestamp) revert ExpiryNotInFuture(expiresAt_, block.timestamp);
        Access storage access = _access[holder][agentId];
        bool isNew = !_exists(access);
        bool forLife = expiresAt_ == LIFETIME;
        _fix(access, forLife ? 0 : expiresAt_, forLife ? 1 : 0);
        _announce(access, holder, agentId);
        if (isNew) _create(holder, agentId);
    }

    /// @notice Takes all access to `agentId` from `holder`.
    function revokeToken(address holder, uint256 agentId) external onlyMinter {
        Access storage access = _access[holder][agentId];
        if (!_exists(access)) revert NothingToRevoke(holder, agentId);
        _fix(access, 0, 0);
        _announce(access, holder, agentId);
        _destroy(holder, agentId);
    }

    /// @notice Sets where the metadata of an agent's token is found.
    function setTokenURI(uint256 agentId, string calldata uri_) external onlyMinter {
        _uris[agentId] = uri_;
        emit URI(uri_, agentId);
    }

    /// @notice Allows or forbids `minter` to change entitlements.
    function setMinter(address minter, bool allowed) external onlyOwner {
        if (minter == address(0)) revert ZeroAddress();
        isMinter[minter] = allowed;
        emit MinterChanged(minter, allowed);
    }

    /// @notice Refused: without an owner no lost minter could be replaced.
    function renounceOwnership() public view override onlyOwner {
        revert RenouncingDisabled();
    }

    // ---------------------------------------------------------------- reading

    /// @notice Whether `holder` may run `agentId` now.
    function hasValidToken(address holder, uint256 agentId) external view returns (bool) {
        return _expiry(_access[holder][agentId]) > block.timestamp;
    }

    /// @notice When the access of `holder` ends or ended: unix seconds, 0 for none, 2**64-1 for life.
    function expiresAt(address holder, uint256 agentId) external view returns (uint64) {
        return _expiry(_access[holder][agentId]);
    }

    /// @notice 1 while `account` has a token, even one that has expired and not been renewed; else 0.
    function balanceOf(address account, uint256 id) public view returns (uint256) {
        return _exists(_access[account][id]) ? 1 : 0;
    }

    /// @notice `balanceOf` for several pairs.
    function balanceOfBatch(address[] calldata accounts, uint256[] calldata ids)
        external
        view
        returns (uint256[] memory balances)
    {
        if (accounts.length != ids.length) revert LengthMismatch(accounts.length, ids.length);
        balances = new uint256[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            balances[i] = balanceOf(accounts[i], ids[i]);
        }
    }

    /// @inheritdoc IERC1155MetadataURI
    function uri(uint256 id) external view returns (string memory) {
        return _uris[id];
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override(ERC165, IERC165) returns (bool) {
        return interfaceId == type(IERC1155).interfaceId || interfaceId == type(IERC1155MetadataURI).interfaceId
            || super.supportsInterface(interfaceId);
    }

    // ---------------------------------------------------------------- not transferable

    /// @notice Always refused.
    function safeTransferFrom(address, address, uint256, uint256, bytes calldata) external pure {
        revert NotTransferable();
    }

    /// @notice Always refused.
    function safeBatchTransferFrom(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        pure
    {
        revert NotTransferable();
    }

    /// @notice Always refused: there is nothing that an operator could do.
    function setApprovalForAll(address, bool) external pure {
        revert NotTransferable();
    }

    /// @notice Always false.
    function isApprovedForAll(address, address) external pure returns (bool approved) {}

    // ---------------------------------------------------------------- inside

    function _exists(Access storage access) private view returns (bool) {
        return access.expiresAt != 0 || access.lifetimes != 0;
    }

    function _expiry(Access storage access) private view returns (uint64) {
        return access.lifetimes != 0 ? LIFETIME : access.expiresAt;
    }

    function _beginRun(Access storage access, uint64 expiresAt_) private {
        access.run += 1;
        access.shift = 0;
        access.gaps = 0;
        access.expiresAt = expiresAt_;
    }

    function _fix(Access storage access, uint64 expiresAt_, uint32 lifetimes) private {
        _beginRun(access, expiresAt_);
        access.fixedRun = access.run;
        access.lifetimes = lifetimes;
    }

    function _announce(Access storage access, address holder, uint256 agentId) private {
        emit EntitlementChanged(holder, agentId, _expiry(access));
    }

    /// @dev The seconds of a grant that still lie ahead, once the gaps before it have moved it forward.
    function _unused(mapping(uint256 index => Gap) storage gaps, uint256 count, uint64 start, uint64 duration)
        private
        view
        returns (uint64)
    {
        uint64 begin = start;
        for (uint256 i = 0; i < count; ++i) {
            Gap memory gap = gaps[i];
            if (gap.start == start) return 0; // taken back before
            if (gap.start < start) begin -= gap.length;
        }
        uint64 end = begin + duration;
        if (end <= block.timestamp) return 0;
        return begin > block.timestamp ? duration : end - uint64(block.timestamp);
    }

    function _create(address holder, uint256 agentId) private {
        emit TransferSingle(msg.sender, address(0), holder, agentId, 1);
        if (holder.code.length == 0) return;
        // Not try/catch: an answer that does not decode would then revert without a reason.
        // slither-disable-next-line unused-return
        (bool success, bytes32 answer,) = LowLevelCall.callReturn64Bytes(
            holder, abi.encodeCall(IERC1155Receiver.onERC1155Received, (msg.sender, address(0), agentId, 1, ""))
        );
        if (
            !success || LowLevelCall.returnDataSize() < 32
                || bytes4(answer) != IERC1155Receiver.onERC1155Received.selector
        ) revert RecipientCannotReceive(holder);
    }

    function _destroy(address holder, uint256 agentId) private {
        emit TransferSingle(msg.sender, holder, address(0), agentId, 1);
    }
}
