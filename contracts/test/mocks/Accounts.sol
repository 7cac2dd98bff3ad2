// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @dev Accepts what its owner signed.
contract OwnedAccount is IERC1271 {
    address public immutable owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address signer,,) = ECDSA.tryRecover(hash, signature);
        return signer == owner ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @dev Deploys owned accounts at addresses known in advance.
contract OwnedAccountFactory {
    function create(address owner, bytes32 salt) external returns (OwnedAccount) {
        return new OwnedAccount{salt: salt}(owner);
    }

    function addressOf(address owner, bytes32 salt) external view returns (address) {
        bytes32 code = keccak256(abi.encodePacked(type(OwnedAccount).creationCode, abi.encode(owner)));
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, code)))));
    }
}

/// @dev Deployed, but accepts only after it was set up by a call.
contract UnpreparedAccount is IERC1271 {
    bool public ready;

    function prepare() external {
        ready = true;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return ready ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @dev Accounts that misbehave when they are asked.
contract MisbehavingAccount {
    enum Way {
        Reverts,
        RevertsWithTheMagicValue,
        Loops,
        AnswersShort,
        AnswersNothing,
        AnswersTheMagicValueRightAligned,
        AnswersMoreThanTheMagicValue,
        AnswersHugely,
        Writes
    }

    Way public immutable way;
    uint256 private _written;

    constructor(Way way_) {
        way = way_;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        bytes4 magic = IERC1271.isValidSignature.selector;
        if (way == Way.Reverts) revert("no");
        if (way == Way.Loops) while (true) {}
        if (way == Way.Writes) {
            _written = 1;
            return magic;
        }
        uint256 length = 32;
        bytes32 word = bytes32(magic);
        if (way == Way.AnswersShort) length = 4;
        if (way == Way.AnswersNothing) length = 0;
        if (way == Way.AnswersTheMagicValueRightAligned) word = bytes32(uint256(uint32(magic)));
        if (way == Way.AnswersMoreThanTheMagicValue) word = bytes32(magic) | bytes32(uint256(1));
        if (way == Way.AnswersHugely) {
            length = 1_000_000;
            word = 0;
        }
        bool fails = way == Way.RevertsWithTheMagicValue;
        assembly ("memory-safe") {
            mstore(0, word)
            if fails { revert(0, 32) }
            return(0, length)
        }
    }
}
