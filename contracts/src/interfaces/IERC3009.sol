// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

/// @title The part of ERC-3009 that the escrow calls, in the form with a packed signature that USDC v2.2 has
interface IERC3009 {
    /// @notice Moves `value` from `from` to the caller, who must be `to`, by the signature of `from`.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
}
