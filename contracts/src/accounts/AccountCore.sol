// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Account, ERC4337Utils, IEntryPoint} from "@openzeppelin/contracts/account/Account.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ERC7739} from "@openzeppelin/contracts/utils/cryptography/signers/draft-ERC7739.sol";

/// @title What every smart account here has, whoever owns it
/// @notice An ERC-4337 account of EntryPoint v0.7: it makes the calls its owner signed, one or several in one operation,
/// takes ether and tokens of any standard, and answers for its owner's signatures (ERC-1271, bound to this account by
/// ERC-7739, so that a signature made for one account of an owner counts for no other).
/// @dev Behind an ERC-1967 proxy. Only the account itself, which means its owner, can put another implementation there.
abstract contract AccountCore is Account, ERC7739, ERC721Holder, ERC1155Holder, Initializable, UUPSUpgradeable {
    struct Call {
        address target;
        /// Wei.
        uint256 value;
        bytes data;
    }

    /// @notice A call of a batch failed without saying why. The reason of one that says why is passed on as it is.
    error CallFailed(uint256 index, address target);
    /// @notice A batch without calls: most likely a mistake of who built it.
    error NothingToDo();

    constructor() EIP712("AgentAccount", "1") {
        _disableInitializers();
    }

    /// @notice EntryPoint v0.7 at its canonical address; no other can move anything here.
    function entryPoint() public pure override returns (IEntryPoint) {
        return ERC4337Utils.ENTRYPOINT_V07;
    }

    /// @notice Makes one call. Reverts with its reason when it fails.
    function execute(address target, uint256 value, bytes calldata data) external payable onlyEntryPointOrSelf {
        _call(0, target, value, data);
    }

    /// @notice Makes the calls in their order: all, or none when one fails, with its reason.
    function executeBatch(Call[] calldata calls) external payable onlyEntryPointOrSelf {
        if (calls.length == 0) revert NothingToDo();
        for (uint256 i = 0; i < calls.length; ++i) {
            _call(i, calls[i].target, calls[i].value, calls[i].data);
        }
    }

    function _call(uint256 index, address target, uint256 value, bytes calldata data) private {
        if (LowLevelCall.callNoReturn(target, value, data)) return;
        if (LowLevelCall.returnDataSize() > 0) LowLevelCall.bubbleRevert();
        revert CallFailed(index, target);
    }

    function _authorizeUpgrade(address) internal view override onlyEntryPointOrSelf {}
}
