// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {TestUSDC} from "../../src/local/TestUSDC.sol";
import {TestBase} from "../support/TestBase.sol";
import {EscrowHandler} from "./EscrowHandler.sol";

contract EscrowInvariants is TestBase {
    AgentNexusEscrow internal escrow;
    AgentNexusEntitlements internal entitlements;
    TestUSDC internal usdc;
    EscrowHandler internal handler;

    function setUp() public {
        vm.warp(1_800_000_000);
        address owner = address(0x0111);
        address arbiter = address(0x0222);
        entitlements = new AgentNexusEntitlements(owner);
        escrow = new AgentNexusEscrow(
            owner, address(entitlements), vm.addr(0xA11CE), arbiter, address(0xA5), 250, 3 days, 30 days
        );
        usdc = new TestUSDC();
        vm.startPrank(owner);
        entitlements.setMinter(address(escrow), true);
        escrow.setTokenSupported(address(usdc), true);
        vm.stopPrank();
        handler = new EscrowHandler(escrow, usdc, owner, arbiter);
        bytes4[] memory steps = new bytes4[](9);
        steps[0] = handler.pass.selector;
        steps[1] = handler.deposit.selector;
        steps[2] = handler.release.selector;
        steps[3] = handler.refund.selector;
        steps[4] = handler.openDispute.selector;
        steps[5] = handler.resolve.selector;
        steps[6] = handler.withdraw.selector;
        steps[7] = handler.administer.selector;
        steps[8] = handler.tryExits.selector;
        targetContract(address(handler));
        targetSelectors(address(handler), steps);
    }

    /// @dev One campaign checks them all after each step: seven campaigns would take seven times as long.
    function invariant_all_hold() public {
        uint256[2] memory held = invariantPaymentsAreAsPromised();
        invariantHeldAndWithdrawableIsTheBalance(held);
        invariantOnlyTheRightfulGain();
        invariantEveryPaymentHasAnExit();
        invariantAccessRunsWhilePaidFor();
    }

    /// @dev For each payment: its status is what the rules say (and, watched by the handler at each step, only ever moves
    /// on), its fee is that of its deposit and below the cap, its deadlines lie in order and never move.
    function invariantPaymentsAreAsPromised() internal view returns (uint256[2] memory held) {
        vm.assertLe(escrow.platformFeeBps(), escrow.MAX_FEE_BPS(), "fee below the cap");
        uint256 count = handler.count();
        for (uint256 i = 0; i < count; ++i) {
            EscrowHandler.Expected memory promised = handler.expectedAt(i);
            AgentNexusEscrow.Payment memory payment = escrow.payments(promised.id);
            vm.assertEq(uint256(payment.status), uint256(promised.status), "status");
            vm.assertEq(payment.feeBps, promised.feeBps, "fee of the deposit");
            vm.assertLe(payment.feeBps, 1000, "fee below the cap");
            vm.assertEq(payment.releaseAfter, promised.releaseAfter, "releaseAfter");
            vm.assertEq(payment.expiresAt, promised.expiresAt, "expiresAt");
            vm.assertTrue(
                payment.depositedAt < payment.releaseAfter && payment.releaseAfter < payment.expiresAt, "order"
            );
            if (handler.isOpen(promised)) held[payment.token == address(0) ? 0 : 1] += payment.amount;
        }
    }

    /// @dev What is held and what can be withdrawn is the balance, for each token.
    function invariantHeldAndWithdrawableIsTheBalance(uint256[2] memory held) internal view {
        for (uint256 t = 0; t < 2; ++t) {
            address token = handler.tokens(t);
            uint256 owed = held[t];
            for (uint256 p = 0; p < 5; ++p) {
                owed += escrow.withdrawable(token, handler.people(p));
            }
            vm.assertEq(balanceOf(token, address(escrow)), owed, "balance of the escrow");
        }
    }

    /// @dev Everybody has exactly what the rules give them: nobody gains what is not theirs.
    function invariantOnlyTheRightfulGain() internal view {
        for (uint256 t = 0; t < 2; ++t) {
            address token = handler.tokens(t);
            for (uint256 p = 0; p < 5; ++p) {
                address person = handler.people(p);
                vm.assertEq(escrow.withdrawable(token, person), handler.credit(token, person), "credit");
                vm.assertEq(balanceOf(token, person), handler.wealth(token, person), "wealth");
            }
        }
    }

    /// @dev The latest payment, while open, has an exit at this moment without any key of the platform. The handler's
    /// `tryExits` does the same for any payment, and both also run while the escrow is paused or may no longer mint.
    function invariantEveryPaymentHasAnExit() internal {
        if (handler.count() > 0) handler.tryExitsOf(handler.count() - 1);
    }

    /// @dev Access is active exactly while a period runs that was paid for and not refunded.
    function invariantAccessRunsWhilePaidFor() internal view {
        for (uint256 p = 0; p < 3; ++p) {
            address person = handler.people(p);
            for (uint256 agentId = 0; agentId < 2; ++agentId) {
                uint256 expected = handler.model().expiresAt(person, agentId);
                vm.assertEq(entitlements.hasValidToken(person, agentId), expected != 0, "active");
                if (expected != 0) vm.assertEq(entitlements.expiresAt(person, agentId), expected, "expiry");
            }
        }
    }

    function balanceOf(address token, address account) internal view returns (uint256) {
        return token == address(0) ? account.balance : usdc.balanceOf(account);
    }
}
