// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {TestUSDC} from "../../src/local/TestUSDC.sol";

/// @dev What a wallet signs for EIP-2612 and ERC-3009, written out from the standards.
abstract contract TokenSignatures {
    function permitDigest(
        TestUSDC token,
        address owner_,
        address spender,
        uint256 value,
        uint256 nonce,
        uint256 deadline
    ) internal view returns (bytes32) {
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        return digest(token, keccak256(abi.encode(typehash, owner_, spender, value, nonce, deadline)));
    }

    function authorizationDigest(
        TestUSDC token,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce
    ) internal view returns (bytes32) {
        bytes32 typehash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        return digest(token, keccak256(abi.encode(typehash, from, to, value, validAfter, validBefore, nonce)));
    }

    function digest(TestUSDC token, bytes32 structHash) private view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("USD Coin"),
                keccak256("2"),
                block.chainid,
                address(token)
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", separator, structHash));
    }
}
