// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";

import {AgentAccount} from "./AgentAccount.sol";
import {AgentPasskeyAccount} from "./AgentPasskeyAccount.sol";

/// @title Makes smart accounts at addresses that are known beforehand
/// @notice An account's address follows from its owner and a salt alone (CREATE2): it can be given out and paid before
/// the account is there. Anyone may make anyone's account; making it again gives the one that is there.
/// @dev Deployed by CREATE2 itself and without arguments, so that it, and every account, has the same address on every
/// network.
contract AgentAccountFactory {
    AgentAccount public immutable walletImplementation = new AgentAccount();
    AgentPasskeyAccount public immutable passkeyImplementation = new AgentPasskeyAccount();

    /// @notice Makes the account of the wallet `owner`.
    function createAccount(address owner, uint256 salt) external returns (address) {
        return _create(salt, _walletCode(owner));
    }

    /// @notice Makes the account of the passkey with the P-256 public key `x`, `y`.
    function createPasskeyAccount(bytes32 x, bytes32 y, uint256 salt) external returns (address) {
        return _create(salt, _passkeyCode(x, y));
    }

    /// @notice Where the account of the wallet `owner` is, or will be.
    function accountOf(address owner, uint256 salt) external view returns (address) {
        return Create2.computeAddress(bytes32(salt), keccak256(_walletCode(owner)));
    }

    /// @notice Where the account of the passkey with the public key `x`, `y` is, or will be.
    function passkeyAccountOf(bytes32 x, bytes32 y, uint256 salt) external view returns (address) {
        return Create2.computeAddress(bytes32(salt), keccak256(_passkeyCode(x, y)));
    }

    function _walletCode(address owner) private view returns (bytes memory) {
        return _proxyCode(address(walletImplementation), abi.encodeCall(AgentAccount.initialize, (owner)));
    }

    function _passkeyCode(bytes32 x, bytes32 y) private view returns (bytes memory) {
        return _proxyCode(address(passkeyImplementation), abi.encodeCall(AgentPasskeyAccount.initialize, (x, y)));
    }

    function _proxyCode(address implementation, bytes memory initialisation) private pure returns (bytes memory) {
        return abi.encodePacked(type(ERC1967Proxy).creationCode, abi.encode(implementation, initialisation));
    }

    function _create(uint256 salt, bytes memory code) private returns (address account) {
        account = Create2.computeAddress(bytes32(salt), keccak256(code));
        if (account.code.length == 0) return Create2.deploy(0, bytes32(salt), code);
    }
}
