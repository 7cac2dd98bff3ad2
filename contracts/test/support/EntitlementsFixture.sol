// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {TestBase} from "./TestBase.sol";

/// @dev The entitlements alone, with one minter.
abstract contract EntitlementsFixture is TestBase {
    uint64 internal constant START = 1_800_000_000;
    uint64 internal constant LIFETIME = type(uint64).max;
    uint256 internal constant AGENT = 7;

    struct Grant {
        uint64 duration;
        uint64 start;
        uint32 run;
    }

    address internal immutable owner = address(0x0111);
    address internal immutable minter = address(0x0222);
    address internal immutable holder = address(0x0333);
    address internal immutable stranger = address(0x0444);
    AgentNexusEntitlements internal entitlements;

    function setUp() public virtual {
        vm.warp(START);
        entitlements = new AgentNexusEntitlements(owner);
        vm.prank(owner);
        entitlements.setMinter(minter, true);
    }

    function mint(uint64 duration) internal returns (Grant memory grant) {
        grant.duration = duration;
        vm.prank(minter);
        (grant.start, grant.run) = entitlements.mintToken(holder, AGENT, duration);
    }

    function takeBack(Grant memory grant) internal returns (uint64) {
        vm.prank(minter);
        return entitlements.takeBackToken(holder, AGENT, grant.duration, grant.start, grant.run);
    }

    function expiry() internal view returns (uint64) {
        return entitlements.expiresAt(holder, AGENT);
    }

    function expectNotMinter(address caller) internal {
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(AgentNexusEntitlements.NotMinter.selector, caller));
    }

    function expectChange(uint64 expiresAt) internal {
        vm.expectEmit(address(entitlements));
        emit AgentNexusEntitlements.EntitlementChanged(holder, AGENT, expiresAt);
    }
}
