// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";

import {AccountCore} from "./AccountCore.sol";

/// @title A smart account whose owner is a passkey
/// @notice A signature is an ABI-encoded `WebAuthn.WebAuthnAuth`: an assertion, by the account's P-256 key, whose
/// challenge is the 32-byte hash and which says that the person was verified (PIN, face, finger). It is checked by the
/// chain's P-256 precompile (RIP-7212, EIP-7951) where there is one and in Solidity elsewhere.
/// @dev Which site asked is not checked here: the authenticator only ever signs for the site the passkey was made on.
contract AgentPasskeyAccount is AccountCore {
    bytes32 private _x;
    bytes32 private _y;

    /// @notice Not a point of the P-256 curve.
    error InvalidPublicKey(bytes32 x, bytes32 y);

    /// @notice Called once by the factory with the passkey's public key.
    function initialize(bytes32 x, bytes32 y) external initializer {
        if (!P256.isValidPublicKey(x, y)) revert InvalidPublicKey(x, y);
        (_x, _y) = (x, y);
    }

    /// @notice The owner's P-256 public key.
    function signer() external view returns (bytes32 x, bytes32 y) {
        return (_x, _y);
    }

    function _rawSignatureValidation(bytes32 hash, bytes calldata signature) internal view override returns (bool) {
        (bool decoded, WebAuthn.WebAuthnAuth calldata assertion) = WebAuthn.tryDecodeAuth(signature);
        return decoded && WebAuthn.verify(abi.encodePacked(hash), assertion, _x, _y);
    }
}
