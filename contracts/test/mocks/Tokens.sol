// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

contract PlainToken is ERC20 {
    constructor() ERC20("Plain", "PLN") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @dev Keeps one percent of every transfer.
contract FeeOnTransferToken is PlainToken {
    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0)) {
            super._update(from, address(0), value / 100);
            value -= value / 100;
        }
        super._update(from, to, value);
    }
}

/// @dev Delivers more than was asked for.
contract GenerousToken is PlainToken {
    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        _mint(to, 1);
        return super.transferFrom(from, to, value);
    }
}

/// @dev Takes from the receiver instead of giving.
contract ThievingToken is PlainToken {
    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        _transfer(to, from, value);
        return true;
    }
}

/// @dev Reports success and moves nothing.
contract IdleToken is PlainToken {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// @dev Answers false instead of reverting.
contract FalseToken is PlainToken {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }

    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @dev Answers nothing, as old tokens do.
contract NoReturnToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @dev Refuses transfers to and from listed accounts.
contract DenyListToken is PlainToken {
    mapping(address => bool) public denied;

    error Denied(address account);

    function deny(address account, bool denied_) external {
        denied[account] = denied_;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (denied[from]) revert Denied(from);
        if (denied[to]) revert Denied(to);
        super._update(from, to, value);
    }
}

/// @dev Makes one prepared call in the middle of every transfer.
contract ReentrantToken is PlainToken {
    address public target;
    bytes public data;
    bool public succeeded;
    bytes public answer;

    function prepare(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (target != address(0)) (succeeded, answer) = target.call(data);
    }
}
