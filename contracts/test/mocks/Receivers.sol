// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";

/// @dev Does what it is told, and takes anything.
contract Wallet {
    function execute(address target, uint256 value, bytes calldata data) public returns (bytes memory) {
        (bool success, bytes memory answer) = target.call{value: value}(data);
        if (!success) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external virtual returns (bytes4) {
        return IERC1155Receiver.onERC1155Received.selector;
    }

    receive() external payable virtual {}
}

/// @dev Makes one prepared call whenever it receives a token or ether, and keeps what came of it.
contract ReentrantWallet is Wallet {
    address public target;
    bytes public data;
    uint256 public attempts;
    bool public succeeded;
    bytes public answer;

    function prepare(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external override returns (bytes4) {
        _attack();
        return IERC1155Receiver.onERC1155Received.selector;
    }

    receive() external payable override {
        _attack();
    }

    function _attack() private {
        attempts += 1;
        (succeeded, answer) = target.call(data);
    }
}

/// @dev Can receive neither ether nor ERC-1155 tokens.
contract RefusingWallet {
    function execute(address target, uint256 value, bytes calldata data) external {
        (bool success,) = target.call{value: value}(data);
        require(success, "refused inside");
    }

    fallback() external {
        revert("refused");
    }

    receive() external payable {
        revert("refused");
    }
}

/// @dev Accepts every call and answers nothing.
contract SilentWallet {
    fallback() external {}

    receive() external payable {}
}

/// @dev Answers every call with the same bytes.
contract AnsweringWallet {
    bytes private _answer;

    constructor(bytes memory answer) {
        _answer = answer;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return _answer;
    }
}

/// @dev Uses up all the gas that it is given.
contract GasBurner {
    fallback() external {
        while (true) {}
    }

    receive() external payable {
        while (true) {}
    }
}

/// @dev Answers ether with far more data than anybody wants to copy.
contract ReturnBomb {
    receive() external payable {
        assembly {
            revert(0, 1000000)
        }
    }
}
