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

    /// @dev What is held and what can be withdrawn is the balance, for each token.
    function invariant_held_and_withdrawable_is_the_balance() public view {
        for (uint256 t = 0; t < 2; ++t) {
            address token = handler.tokens(t);
            uint256 owed;
            for (uint256 i = 0; i < handler.count(); ++i) {
                (bytes32 id,,,,,,,,,,) = handler.expected(i);
                AgentNexusEscrow.Payment memory payment = escrow.payments(id);
                bool open = payment.status == AgentNexusEscrow.Status.Held
                    || payment.status == AgentNexusEscrow.Status.Disputed;
                if (open && payment.token == token) owed += payment.amount;
            }
            for (uint256 p = 0; p < 5; ++p) {
                owed += escrow.withdrawable(token, handler.people(p));
            }
            vm.assertEq(balanceOf(token, address(escrow)), owed, "balance of the escrow");
        }
    }

    /// @dev Everybody has exactly what the rules give them: nobody gains what is not theirs.
    function invariant_only_the_rightful_gain() public view {
        for (uint256 t = 0; t < 2; ++t) {
            address token = handler.tokens(t);
            for (uint256 p = 0; p < 5; ++p) {
                address person = handler.people(p);
                vm.assertEq(escrow.withdrawable(token, person), handler.credit(token, person), "credit");
                vm.assertEq(balanceOf(token, person), handler.wealth(token, person), "wealth");
            }
        }
    }

    /// @dev A status is what the rules say, and (watched by the handler at each step) only ever moves on.
    function invariant_status_never_goes_back() public view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            (bytes32 id, AgentNexusEscrow.Status status,,,,,,,,,) = handler.expected(i);
            vm.assertEq(uint256(escrow.payments(id).status), uint256(status), "status");
        }
    }

    /// @dev No payment bears a fee above the cap, nor other than the one of its deposit.
    function invariant_fee_is_as_promised() public view {
        vm.assertLe(escrow.platformFeeBps(), escrow.MAX_FEE_BPS(), "cap");
        for (uint256 i = 0; i < handler.count(); ++i) {
            (bytes32 id,,,,,,, uint256 feeBps,,,) = handler.expected(i);
            vm.assertEq(escrow.payments(id).feeBps, feeBps, "fee of the deposit");
            vm.assertLe(feeBps, escrow.MAX_FEE_BPS(), "cap of the deposit");
        }
    }

    /// @dev Every open payment has an exit at this moment without any key of the platform; see `tryExits`, which also runs
    /// while the escrow is paused and after it lost its right to mint.
    function invariant_every_payment_has_an_exit() public {
        uint256 count = handler.count();
        for (uint256 i = count < 3 ? 0 : count - 3; i < count; ++i) {
            handler.tryExitsOf(i);
        }
    }

    /// @dev The deadlines of a payment lie in order and never move.
    function invariant_deadlines_are_ordered() public view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            (bytes32 id,,,,,,,,, uint256 releaseAfter, uint256 expiresAt) = handler.expected(i);
            AgentNexusEscrow.Payment memory payment = escrow.payments(id);
            vm.assertEq(payment.releaseAfter, releaseAfter, "releaseAfter");
            vm.assertEq(payment.expiresAt, expiresAt, "expiresAt");
            vm.assertTrue(payment.depositedAt < releaseAfter && releaseAfter < expiresAt, "order");
        }
    }

    /// @dev Access is active exactly while a period runs that was paid for and not refunded.
    function invariant_access_runs_while_paid_for() public view {
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
