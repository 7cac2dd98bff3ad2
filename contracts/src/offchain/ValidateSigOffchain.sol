// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title Whether an account contract accepts a signature (ERC-1271), also before it is deployed (ERC-6492)
/// @notice Never deployed: an `eth_call` without a recipient runs the constructor and gets its one byte, 01 for yes.
/// Nothing it does is kept, so the account's factory may be called with whatever the signature brings along.
/// @dev Answers are read into fixed memory: an account can neither make this revert by a short answer nor use up its
/// gas by a long one. The caller unpacks the ERC-6492 wrapper and bounds the gas.
// slither-disable-start assembly
contract ValidateSigOffchain {
    /// @param account the address that is said to have signed
    /// @param hash what was signed
    /// @param signature what the account itself is asked about, without a wrapper
    /// @param factory whom to call when the account is not there, or not ready, yet; zero for nobody
    /// @param factoryCalldata what to call it with
    constructor(address account, bytes32 hash, bytes memory signature, address factory, bytes memory factoryCalldata) {
        bool accepted = _accepts(account, hash, signature);
        if (!accepted && factory != address(0)) {
            _prepare(factory, factoryCalldata);
            accepted = _accepts(account, hash, signature);
        }
        assembly ("memory-safe") {
            mstore(0, accepted)
            return(31, 1)
        }
    }

    function _prepare(address factory, bytes memory data) private {
        assembly ("memory-safe") {
            // Whether it worked shows in what the account answers afterwards.
            pop(call(gas(), factory, 0, add(data, 32), mload(data), 0, 0))
        }
    }

    function _accepts(address account, bytes32 hash, bytes memory signature) private view returns (bool) {
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (hash, signature));
        bytes32 answer;
        assembly ("memory-safe") {
            mstore(0, 0)
            let done := staticcall(gas(), account, add(question, 32), mload(question), 0, 32)
            answer := mul(mload(0), and(done, gt(returndatasize(), 31)))
        }
        return answer == bytes32(IERC1271.isValidSignature.selector);
    }
}
// slither-disable-end assembly
