// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";

import {AccountCore} from "./AccountCore.sol";

/// @title A smart account whose owner is a passkey, with a second one as backup
/// @notice A signature is an ABI-encoded `WebAuthn.WebAuthnAuth`: an assertion, by a P-256 key of the account, whose
/// challenge is the 32-byte hash and which says that the person was verified (PIN, face, finger). It is checked by the
/// chain's P-256 precompile (RIP-7212, EIP-7951) where there is one and in Solidity elsewhere. Either key can do
/// everything alone, also replace the other: a backup is as much the owner as the first key.
/// @dev Which site asked is not checked here: the authenticator only ever signs for the site the passkey was made on.
contract AgentPasskeyAccount is AccountCore {
    bytes32 private _x;
    bytes32 private _y;
    bytes32 private _backupX;
    bytes32 private _backupY;

    /// @notice From now on these keys own the account; a backup of zeros is none.
    event KeysChanged(bytes32 x, bytes32 y, bytes32 backupX, bytes32 backupY);

    /// @notice Not a point of the P-256 curve.
    error InvalidPublicKey(bytes32 x, bytes32 y);
    /// @notice A backup that is lost together with the key it stands in for.
    error BackupIsTheKey();

    /// @notice Called once by the factory with the passkey's public key.
    function initialize(bytes32 x, bytes32 y) external initializer {
        _setKeys(x, y, 0, 0);
    }

    /// @notice Replaces both keys at once, so that there is never a moment without an owner; a backup of zeros is none.
    function setKeys(bytes32 x, bytes32 y, bytes32 backupX, bytes32 backupY) external onlyEntryPointOrSelf {
        _setKeys(x, y, backupX, backupY);
    }

    /// @notice The owner's P-256 public key.
    function signer() external view returns (bytes32 x, bytes32 y) {
        return (_x, _y);
    }

    /// @notice The backup's P-256 public key, zeros when there is none.
    function backup() external view returns (bytes32 x, bytes32 y) {
        return (_backupX, _backupY);
    }

    function _setKeys(bytes32 x, bytes32 y, bytes32 backupX, bytes32 backupY) private {
        if (!P256.isValidPublicKey(x, y)) revert InvalidPublicKey(x, y);
        if (backupX | backupY != 0) {
            if (!P256.isValidPublicKey(backupX, backupY)) revert InvalidPublicKey(backupX, backupY);
            if (backupX == x) revert BackupIsTheKey();
        }
        (_x, _y, _backupX, _backupY) = (x, y, backupX, backupY);
        emit KeysChanged(x, y, backupX, backupY);
    }

    function _rawSignatureValidation(bytes32 hash, bytes calldata signature) internal view override returns (bool) {
        (bool decoded, WebAuthn.WebAuthnAuth calldata assertion) = WebAuthn.tryDecodeAuth(signature);
        // Far outside of the text, the place of its type would burn all gas instead of counting for nothing.
        if (!decoded || assertion.typeIndex >= bytes(assertion.clientDataJSON).length) return false;
        bytes memory challenge = abi.encodePacked(hash);
        if (WebAuthn.verify(challenge, assertion, _x, _y)) return true;
        // No point of the curve has y = 0, so this asks whether there is a backup.
        return _backupY != 0 && WebAuthn.verify(challenge, assertion, _backupX, _backupY);
    }
}
