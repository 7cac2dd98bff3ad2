// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

/// @notice The terms of one purchase, signed by the platform's quote key.
/// @param agentId The agent to which access is bought; at most 2**32-1
/// @param creator Who is paid
/// @param buyer Who must pay; 0 for anyone
/// @param recipient Who gets access; 0 for whoever pays
/// @param token The ERC-20 to pay in; 0 for ether
/// @param amount The price in wei or token units; at most 2**88-1
/// @param accessDuration Seconds of access, at most 2**32-1; 0 for life
/// @param validUntil Last second, in unix time, in which the quote may be paid
/// @param salt Makes two purchases on the same terms different
struct Quote {
    uint256 agentId;
    address creator;
    address buyer;
    address recipient;
    address token;
    uint256 amount;
    uint64 accessDuration;
    uint64 validUntil;
    bytes32 salt;
}

/// @title EIP-712 hashing of quotes
library Quotes {
    bytes32 internal constant TYPEHASH = keccak256(
        "Quote(uint256 agentId,address creator,address buyer,address recipient,address token,uint256 amount,uint64 accessDuration,uint64 validUntil,bytes32 salt)"
    );

    /// @notice The EIP-712 struct hash of `quote`.
    function structHash(Quote calldata quote) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPEHASH, quote)); // every member is one word, as EIP-712 encodes it
    }
}
