// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {EntitlementsFixture} from "../support/EntitlementsFixture.sol";
import {Vm} from "../support/Vm.sol";

contract TakeBackTokenTest is EntitlementsFixture {
    function test_the_only_grant_leaves_nothing() public {
        Grant memory grant = mint(30 days);
        vm.warp(START + 1 days);

        expectChange(0);
        vm.expectEmit(address(entitlements));
        emit IERC1155.TransferSingle(minter, holder, address(0), AGENT, 1);
        vm.assertEq(takeBack(grant), 29 days);

        vm.assertEq(expiry(), 0);
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 0);
    }

    function test_the_last_grant_leaves_those_before() public {
        mint(30 days);
        Grant memory last = mint(10 days);

        vm.recordLogs();
        vm.assertEq(takeBack(last), 10 days);

        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 1); // the change, and no burn
        vm.assertEq(logs[0].topics[0], AgentNexusEntitlements.EntitlementChanged.selector);
        vm.assertEq(abi.decode(logs[0].data, (uint256)), START + 30 days);
        vm.assertEq(expiry(), START + 30 days);
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 1);
    }

    function test_the_last_grant_while_it_runs() public {
        mint(30 days);
        Grant memory last = mint(10 days);
        vm.warp(START + 33 days);

        vm.assertEq(takeBack(last), 7 days);

        vm.assertEq(expiry(), 0);
    }

    function test_the_running_grant_moves_the_next_forward() public {
        Grant memory first = mint(30 days);
        mint(10 days);
        vm.warp(START + 12 days);

        vm.assertEq(takeBack(first), 18 days);

        vm.assertEq(expiry(), START + 22 days);
    }

    function test_a_grant_in_the_middle_moves_the_later_forward() public {
        mint(30 days);
        Grant memory middle = mint(5 days);
        mint(10 days);

        vm.assertEq(takeBack(middle), 5 days);

        vm.assertEq(expiry(), START + 40 days);
    }

    function test_a_moved_grant_gives_back_only_what_it_has_left() public {
        Grant memory first = mint(30 days);
        Grant memory second = mint(30 days);
        mint(30 days);
        vm.warp(START + 12 days);
        takeBack(first); // second now runs from day 12 to 42, third to 72
        vm.warp(START + 20 days);

        vm.assertEq(takeBack(second), 22 days);

        vm.assertEq(expiry(), START + 50 days);
    }

    function test_a_moved_grant_that_has_run_out_gives_back_nothing() public {
        Grant memory first = mint(30 days);
        Grant memory second = mint(10 days);
        mint(10 days);
        takeBack(first); // second runs to day 10, third to day 20
        vm.warp(START + 10 days);

        vm.recordLogs();
        vm.assertEq(takeBack(second), 0);

        vm.assertEq(vm.getRecordedLogs().length, 0);
        vm.assertEq(expiry(), START + 20 days);
    }

    function test_a_moved_grant_that_has_not_begun_gives_back_all() public {
        Grant memory first = mint(30 days);
        mint(10 days);
        Grant memory third = mint(7 days);
        mint(1 days);
        takeBack(first);

        vm.assertEq(takeBack(third), 7 days);

        vm.assertEq(expiry(), START + 11 days);
    }

    function test_a_grant_bought_after_a_gap_was_made_gives_back_its_own() public {
        Grant memory first = mint(30 days);
        mint(10 days);
        takeBack(first);
        Grant memory third = mint(5 days);
        mint(1 days);
        vm.warp(START + 12 days);

        vm.assertEq(takeBack(third), 3 days);

        vm.assertEq(expiry(), START + 13 days);
    }

    function test_a_grant_of_an_ended_run_gives_back_nothing() public {
        Grant memory first = mint(1 days);
        vm.warp(START + 1 days);
        mint(30 days);

        vm.assertEq(takeBack(first), 0);

        vm.assertEq(expiry(), START + 31 days);
    }

    function test_a_grant_that_ended_in_a_run_that_goes_on_gives_back_nothing() public {
        Grant memory first = mint(1 days);
        mint(30 days);
        vm.warp(START + 1 days);

        vm.assertEq(takeBack(first), 0);

        vm.assertEq(expiry(), START + 31 days);
    }

    function test_a_grant_that_ended_long_ago_in_a_run_that_goes_on_gives_back_nothing() public {
        Grant memory first = mint(1 days);
        mint(30 days);
        vm.warp(START + 20 days);

        vm.assertEq(takeBack(first), 0);

        vm.assertEq(expiry(), START + 31 days);
    }

    function test_a_gap_behind_a_grant_does_not_move_it() public {
        mint(30 days);
        Grant memory second = mint(10 days);
        Grant memory third = mint(5 days);
        mint(1 days);
        takeBack(third);
        vm.warp(START + 32 days);

        vm.assertEq(takeBack(second), 8 days);

        vm.assertEq(expiry(), START + 33 days);
    }

    function test_a_grant_in_its_last_second_gives_back_one_second() public {
        Grant memory first = mint(1 days);
        mint(30 days);
        vm.warp(START + 1 days - 1);

        vm.assertEq(takeBack(first), 1);
    }

    function test_a_new_run_forgets_the_gaps_of_the_old() public {
        Grant memory first = mint(30 days);
        mint(1 days);
        takeBack(first);
        vm.warp(START + 10 days);
        Grant memory fresh = mint(5 days);
        Grant memory next = mint(5 days);

        vm.assertEq(fresh.start, START + 10 days);
        vm.assertEq(next.start, START + 15 days);
        vm.assertEq(takeBack(fresh), 5 days);
        vm.assertEq(expiry(), START + 15 days);
    }

    function test_a_grant_in_the_middle_cannot_be_taken_back_twice() public {
        Grant memory first = mint(30 days);
        mint(30 days);
        takeBack(first);

        vm.assertEq(takeBack(first), 0);

        vm.assertEq(expiry(), START + 30 days);
    }

    function test_the_last_grant_after_a_gap_makes_no_second_gap() public {
        Grant memory first = mint(30 days);
        mint(10 days);
        Grant memory last = mint(5 days);
        takeBack(first);
        takeBack(last);

        Grant memory next = mint(7 days);

        vm.assertEq(next.start, START + 40 days); // behind the second, by the line as it was at first
        vm.assertEq(expiry(), START + 17 days);
        vm.assertEq(takeBack(next), 7 days);
        vm.assertEq(expiry(), START + 10 days);
    }

    function test_a_new_run_has_room_for_gaps_of_its_own() public {
        uint256 maximum = entitlements.MAX_GAPS();
        Grant[] memory grants = new Grant[](maximum);
        for (uint256 i = 0; i < maximum; ++i) {
            grants[i] = mint(10);
        }
        mint(10);
        for (uint256 i = 0; i < maximum; ++i) {
            takeBack(grants[i]);
        }
        vm.warp(START + 10);
        Grant memory fresh = mint(5 days);
        mint(5 days);

        vm.assertEq(takeBack(fresh), 5 days);

        vm.assertEq(expiry(), START + 10 + 5 days);
    }

    function test_a_run_that_has_not_begun_gives_back_nothing() public {
        Grant memory grant = mint(1 days);
        grant.run += 1;

        vm.assertEq(takeBack(grant), 0);

        vm.assertEq(expiry(), START + 1 days);
    }

    function test_more_than_was_granted_takes_what_there_is() public {
        Grant memory grant = mint(100);
        grant.duration = 150;
        vm.warp(START + 10);

        takeBack(grant);

        vm.assertEq(expiry(), 0);
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 0);
    }

    // ---------------------------------------------------------------- for life

    function test_each_grant_for_life_counts() public {
        Grant memory forLife = mint(0);
        mint(0);
        mint(0);
        takeBack(forLife);
        takeBack(forLife);
        vm.assertEq(expiry(), LIFETIME);
        takeBack(forLife);
        vm.assertEq(expiry(), 0);
    }

    function test_access_for_life_leaves_the_timed_access_beneath() public {
        mint(30 days);
        Grant memory forLife = mint(0);
        mint(10 days);
        vm.assertEq(expiry(), LIFETIME);

        expectChange(START + 40 days);
        vm.assertEq(takeBack(forLife), LIFETIME);

        vm.assertEq(expiry(), START + 40 days);
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 1);
    }

    function test_access_for_life_leaves_nothing_when_nothing_was_beneath() public {
        Grant memory forLife = mint(0);
        takeBack(forLife);
        vm.assertEq(expiry(), 0);
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 0);
        vm.assertEq(takeBack(forLife), 0);
    }

    function test_timed_access_taken_back_beneath_access_for_life() public {
        Grant memory timed = mint(30 days);
        Grant memory forLife = mint(0);

        expectChange(LIFETIME);
        takeBack(timed);
        vm.assertEq(entitlements.balanceOf(holder, AGENT), 1);

        takeBack(forLife);
        vm.assertEq(expiry(), 0);
    }

    // ---------------------------------------------------------------- after a setting by hand

    function test_what_was_set_by_hand_is_not_taken_back() public {
        Grant memory timed = mint(30 days);
        Grant memory forLife = mint(0);
        vm.prank(minter);
        entitlements.setTokenExpiry(holder, AGENT, START + 100 days);

        vm.assertEq(takeBack(timed), 0);
        vm.assertEq(takeBack(forLife), 0);

        vm.assertEq(expiry(), START + 100 days);
    }

    function test_life_set_by_hand_outlives_every_refund() public {
        Grant memory before = mint(0);
        vm.prank(minter);
        entitlements.setTokenExpiry(holder, AGENT, LIFETIME);
        Grant memory later = mint(0);

        vm.assertEq(takeBack(before), 0);
        vm.assertEq(takeBack(later), LIFETIME);

        vm.assertEq(expiry(), LIFETIME);
    }

    function test_a_grant_after_a_setting_by_hand_is_taken_back_from_it() public {
        vm.prank(minter);
        entitlements.setTokenExpiry(holder, AGENT, START + 100 days);
        Grant memory grant = mint(5 days);
        vm.assertEq(expiry(), START + 105 days);

        vm.assertEq(takeBack(grant), 5 days);

        vm.assertEq(expiry(), START + 100 days);
    }

    // ---------------------------------------------------------------- refusals

    function test_reverts_when_there_are_too_many_gaps() public {
        uint256 maximum = entitlements.MAX_GAPS();
        Grant[] memory grants = new Grant[](maximum + 1);
        for (uint256 i = 0; i <= maximum; ++i) {
            grants[i] = mint(10);
        }
        mint(1 days);
        for (uint256 i = 0; i < maximum; ++i) {
            takeBack(grants[i]);
        }
        vm.assertEq(expiry(), START + 1 days + 10);

        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.TooManyGaps.selector, holder, AGENT, maximum));
        takeBackOutside(grants[maximum]);
    }

    /// @dev In a frame of its own, so that `expectRevert` meets the right call.
    function takeBackOutside(Grant memory grant) internal {
        vm.prank(minter);
        entitlements.takeBackToken(holder, AGENT, grant.duration, grant.start, grant.run);
    }

    function test_reverts_when_the_caller_is_no_minter() public {
        Grant memory grant = mint(1 days);
        expectNotMinter(owner);
        entitlements.takeBackToken(holder, AGENT, grant.duration, grant.start, grant.run);
        expectNotMinter(holder);
        entitlements.takeBackToken(holder, AGENT, grant.duration, grant.start, grant.run);
    }
}
