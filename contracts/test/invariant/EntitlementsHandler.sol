// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {AccessModel} from "../support/AccessModel.sol";
import {TestBase} from "../support/TestBase.sol";

/// @dev Drives the entitlements and the model with the same steps. Few holders and short times, so that grants meet.
contract EntitlementsHandler is TestBase {
    struct Grant {
        address holder;
        uint256 agentId;
        uint64 duration;
        uint64 start;
        uint32 run;
        bool gone;
    }

    AgentNexusEntitlements public immutable entitlements;
    AccessModel public immutable model = new AccessModel();
    address public immutable minter;
    address[3] public holders = [address(0xA1), address(0xA2), address(0xA3)];
    uint256 public constant AGENTS = 2;

    Grant[] public grants;
    uint256 public tokensCreated;
    uint256 public tokensDestroyed;

    constructor(AgentNexusEntitlements entitlements_, address minter_) {
        entitlements = entitlements_;
        minter = minter_;
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 0, 50));
    }

    function mint(uint256 holderSeed, uint256 agentId, uint64 duration) external {
        Grant memory grant = Grant({
            holder: holders[holderSeed % holders.length],
            agentId: agentId % AGENTS,
            duration: duration % 8 == 0 ? 0 : uint64(bound(duration, 1, 100)),
            start: 0,
            run: 0,
            gone: false
        });
        vm.prank(minter);
        (grant.start, grant.run) = entitlements.mintToken(grant.holder, grant.agentId, grant.duration);
        model.grant(grant.holder, grant.agentId, grants.length, grant.duration);
        grants.push(grant);
    }

    function takeBack(uint256 seed) external {
        if (grants.length == 0) return;
        // Mostly one of the last, which are the ones that still run.
        uint256 id = seed % 4 == 0 ? seed % grants.length : grants.length - 1 - seed % _smaller(grants.length, 12);
        Grant storage grant = grants[id];
        if (grant.gone) return;
        vm.prank(minter);
        try entitlements.takeBackToken(grant.holder, grant.agentId, grant.duration, grant.start, grant.run) returns (
            uint64 taken
        ) {
            grant.gone = true;
            vm.assertEq(taken, model.takeBack(grant.holder, grant.agentId, id), "seconds taken back");
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(AgentNexusEntitlements.TooManyGaps.selector));
        }
    }

    function set(uint256 holderSeed, uint256 agentId, uint64 time) external {
        if (time % 4 != 0) return;
        address holder = holders[holderSeed % holders.length];
        agentId %= AGENTS;
        bool forLife = time % 16 == 0;
        uint64 left = uint64(bound(time, 1, 100));
        vm.prank(minter);
        entitlements.setTokenExpiry(holder, agentId, forLife ? type(uint64).max : uint64(block.timestamp) + left);
        model.set(holder, agentId, type(uint256).max, forLife ? 0 : left, forLife, _ids());
    }

    function revoke(uint256 holderSeed, uint256 agentId) external {
        if (holderSeed % 4 != 0) return;
        address holder = holders[holderSeed % holders.length];
        agentId %= AGENTS;
        if (entitlements.balanceOf(holder, agentId) == 0) return;
        vm.prank(minter);
        entitlements.revokeToken(holder, agentId);
        model.set(holder, agentId, type(uint256).max, 0, false, _ids());
    }

    function _ids() private view returns (uint256[] memory ids) {
        ids = new uint256[](grants.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = i;
        }
    }

    function _smaller(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
