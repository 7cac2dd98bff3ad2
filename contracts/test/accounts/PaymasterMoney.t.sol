// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {PaymasterFixture} from "../support/PaymasterFixture.sol";

/// @dev Deposit and stake, both of which EntryPoint keeps.
contract PaymasterMoneyTest is PaymasterFixture {
    function test_anybody_adds_to_the_deposit() public {
        vm.prank(stranger);
        paymaster.deposit{value: 2 ether}();
        vm.assertEq(entryPoint.balanceOf(address(paymaster)), DEPOSIT + 2 ether);
        vm.assertEq(address(paymaster).balance, 0);
    }

    function test_the_owner_takes_the_deposit_out() public {
        vm.prank(admin);
        paymaster.withdraw(beneficiary, 2 ether);
        vm.assertEq(beneficiary.balance, 2 ether);
        vm.assertEq(entryPoint.balanceOf(address(paymaster)), 3 ether);
    }

    function test_reverts_when_more_is_taken_than_there_is() public {
        vm.prank(admin);
        vm.expectRevert("Withdraw amount too large");
        paymaster.withdraw(beneficiary, DEPOSIT + 1);
    }

    function test_reverts_when_the_receiver_refuses() public {
        vm.prank(admin);
        vm.expectRevert("failed to withdraw");
        paymaster.withdraw(payable(address(target)), 1);
    }

    function test_the_owner_stakes_and_gets_the_stake_back_after_the_wait() public {
        vm.deal(admin, 3 ether);
        vm.startPrank(admin);
        paymaster.addStake{value: 1 ether}(1 days);
        paymaster.addStake{value: 2 ether}(2 days);
        (, bool staked, uint112 stake, uint32 delay,) = entryPoint.getDepositInfo(address(paymaster));
        vm.assertTrue(staked);
        vm.assertEq(stake, 3 ether);
        vm.assertEq(delay, 2 days);

        vm.expectRevert("must call unlockStake() first");
        paymaster.withdrawStake(beneficiary);
        paymaster.unlockStake();
        vm.warp(block.timestamp + 2 days - 1);
        vm.expectRevert("Stake withdrawal is not due");
        paymaster.withdrawStake(beneficiary);
        vm.warp(block.timestamp + 1);
        paymaster.withdrawStake(beneficiary);
        vm.stopPrank();

        vm.assertEq(beneficiary.balance, 3 ether);
        vm.assertEq(entryPoint.balanceOf(address(paymaster)), DEPOSIT);
    }

    function test_reverts_when_others_move_money() public {
        bytes memory refusal = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(refusal);
        paymaster.withdraw(beneficiary, 1);
        vm.expectRevert(refusal);
        paymaster.addStake{value: 1}(1);
        vm.expectRevert(refusal);
        paymaster.unlockStake();
        vm.expectRevert(refusal);
        paymaster.withdrawStake(beneficiary);
        vm.stopPrank();
    }

    /// @dev The sponsor's key spends the deposit on gas; it cannot take it.
    function test_reverts_when_the_sponsor_moves_money() public {
        address sponsor = vm.addr(SPONSOR_KEY);
        vm.prank(sponsor);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, sponsor));
        paymaster.withdraw(payable(sponsor), 1);
    }
}
