// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Credits that leave one account at a time
/// @notice A payout or refund is first credited and then withdrawn, so that a receiver that refuses money, or that a
/// token denies, holds up nobody but itself.
abstract contract Withdrawals is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev Once used, a credit is stored plus one: it never returns to zero, and paying somebody who has withdrawn
    /// everything costs 5,000 gas instead of 22,100.
    mapping(address token => mapping(address account => uint256)) private _credits;

    /// @notice `amount` of `token` (0 for ether) of the credit of `account` was paid out.
    event Withdrawn(address indexed token, address indexed account, uint256 amount);

    error NothingToWithdraw(address token, address account);
    error EtherRefused(address receiver, uint256 amount);

    /// @notice Pays the whole credit of `account` out to it. Anyone may call this.
    /// @param token The ERC-20, or 0 for ether
    /// @return amount What was paid, in wei or token units
    function withdraw(address token, address account) external returns (uint256 amount) {
        return _withdraw(token, account, account);
    }

    /// @notice Pays the caller's whole credit out to `receiver`: for accounts that cannot take the money themselves.
    function withdrawTo(address token, address receiver) external returns (uint256 amount) {
        return _withdraw(token, msg.sender, receiver);
    }

    /// @notice The credit of `account` in `token` (0 for ether), in wei or token units.
    function withdrawable(address token, address account) public view returns (uint256) {
        uint256 stored = _credits[token][account];
        return stored == 0 ? 0 : stored - 1;
    }

    function _credit(address token, address account, uint256 amount) internal {
        if (amount == 0) return;
        uint256 stored = _credits[token][account];
        _credits[token][account] = (stored == 0 ? 1 : stored) + amount;
    }

    function _withdraw(address token, address account, address receiver) private nonReentrant returns (uint256 amount) {
        amount = withdrawable(token, account);
        if (amount == 0) revert NothingToWithdraw(token, account);
        _credits[token][account] = 1;
        emit Withdrawn(token, account, amount);
        if (token != address(0)) {
            IERC20(token).safeTransfer(receiver, amount);
        } else if (!LowLevelCall.callNoReturn(receiver, amount, "")) {
            revert EtherRefused(receiver, amount);
        }
    }
}
