// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignerECDSA} from "@openzeppelin/contracts/utils/cryptography/signers/SignerECDSA.sol";

import {AccountCore} from "./AccountCore.sol";

/// @title A smart account whose owner is a wallet
/// @notice The owner signs the hash of a user operation as a message (ERC-191, `personal_sign`), as owners of
/// eth-infinitism's SimpleAccount do. The owner may also call the account directly, so that nothing in it depends on a
/// bundler.
contract AgentAccount is AccountCore, SignerECDSA(address(0)) {
    error NoOwner();

    /// @notice Called once by the factory.
    function initialize(address owner) external initializer {
        if (owner == address(0)) revert NoOwner();
        _setSigner(owner);
    }

    function _signableUserOpHash(PackedUserOperation calldata, bytes32 userOpHash)
        internal
        pure
        override
        returns (bytes32)
    {
        return MessageHashUtils.toEthSignedMessageHash(userOpHash);
    }

    function _checkEntryPointOrSelf() internal view override {
        if (msg.sender == signer()) return;
        super._checkEntryPointOrSelf();
    }
}
