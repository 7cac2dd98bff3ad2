// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Quote} from "../../src/Quotes.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

/// @dev One test an operation, each call measured as a transaction of its own (`isolate`).
contract GasTest is EscrowFixture {
    /// forge-config: default.isolate = true
    function test_purchase_in_ether() public {
        Quote memory warm = etherQuote();
        warm.recipient = friend;
        deposit(warm);
        depositEther();
        vm.snapshotGasLastCall("gas", "purchase_ether");
        vm.prank(creator);
    }

    /// forge-config: default.isolate = true
    function test_purchase_in_usdc() public {
        Quote memory warm = usdcQuote();
        warm.recipient = friend;
        deposit(warm);
        depositUsdc();
        vm.snapshotGasLastCall("gas", "purchase_usdc");
    }

    /// forge-config: default.isolate = true
    function test_release_paid_before() public {
        Quote memory warm = usdcQuote();
        warm.recipient = friend;
        bytes32 a = deposit(warm);
        vm.prank(buyer);
        escrow.releasePayment(a);
        vm.snapshotGasLastCall("gas", "release_first");
        escrow.withdraw(address(usdc), creator);
        escrow.withdraw(address(usdc), feeRecipient);
        bytes32 id = depositUsdc();
        vm.warp(block.timestamp + DISPUTE_WINDOW);
        escrow.releasePayment(id);
        vm.snapshotGasLastCall("gas", "release_again");
    }

    /// forge-config: default.isolate = true
    function test_refund() public {
        bytes32 id = depositUsdc();
        vm.prank(creator);
        escrow.refundPayment(id);
        vm.snapshotGasLastCall("gas", "refund_access");
        vm.prank(friend);
        escrow.withdraw(address(usdc), buyer);
        vm.snapshotGasLastCall("gas", "withdraw_usdc");
    }

    /// forge-config: default.isolate = true
    function test_refund_used_up() public {
        Quote memory q = usdcQuote();
        bytes32 id = deposit(q);
        vm.warp(block.timestamp + 33 days);
        vm.prank(friend);
        escrow.refundPayment(id);
        vm.snapshotGasLastCall("gas", "refund_used_up");
    }
}
