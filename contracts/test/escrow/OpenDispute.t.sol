// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

contract OpenDisputeTest is EscrowFixture {
    function expectRefused(address sender, bytes32 id, bytes memory reason) internal {
        vm.prank(sender);
        vm.expectRevert(reason);
        escrow.openDispute(id, "reason");
    }

    function expectWrongStatus(bytes32 id, AgentNexusEscrow.Status status) internal {
        expectRefused(buyer, id, abi.encodeWithSelector(AgentNexusEscrow.WrongStatus.selector, id, status));
    }

    function test_the_payer_may_dispute_until_the_window_closes() public {
        bytes32 id = depositEther();
        vm.warp(releaseAfterOf(id) - 1);

        vm.prank(buyer);
        vm.expectEmit(address(escrow));
        emit AgentNexusEscrow.DisputeOpened(id, buyer, "reason");
        escrow.openDispute(id, "reason");

        assertStatus(id, AgentNexusEscrow.Status.Disputed);
        vm.assertTrue(entitlements.hasValidToken(buyer, AGENT));
    }

    function test_works_while_paused() public {
        bytes32 id = depositEther();
        vm.prank(owner);
        escrow.pause();

        dispute(id);

        assertStatus(id, AgentNexusEscrow.Status.Disputed);
    }

    function test_reverts_when_the_window_has_closed() public {
        bytes32 id = depositEther();
        uint64 releaseAfter = releaseAfterOf(id);
        vm.warp(releaseAfter);
        expectRefused(
            buyer,
            id,
            abi.encodeWithSelector(AgentNexusEscrow.DisputeWindowOver.selector, id, releaseAfter, releaseAfter)
        );
        vm.warp(releaseAfter + 5);
        expectRefused(
            buyer,
            id,
            abi.encodeWithSelector(AgentNexusEscrow.DisputeWindowOver.selector, id, releaseAfter, releaseAfter + 5)
        );
    }

    function test_reverts_when_the_caller_did_not_pay() public {
        bytes32 id = depositEther();
        address[4] memory others = [creator, arbiter, owner, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            expectRefused(others[i], id, abi.encodeWithSelector(AgentNexusEscrow.NotPayer.selector, id, others[i]));
        }
    }

    function test_reverts_when_there_is_no_payment() public {
        expectWrongStatus(bytes32("nothing"), AgentNexusEscrow.Status.None);
    }

    function test_reverts_when_disputed() public {
        bytes32 id = depositEther();
        dispute(id);
        expectWrongStatus(id, AgentNexusEscrow.Status.Disputed);
    }

    function test_reverts_when_released() public {
        bytes32 id = depositEther();
        vm.prank(buyer);
        escrow.releasePayment(id);
        expectWrongStatus(id, AgentNexusEscrow.Status.Released);
    }

    function test_reverts_when_refunded() public {
        bytes32 id = depositEther();
        vm.prank(creator);
        escrow.refundPayment(id);
        expectWrongStatus(id, AgentNexusEscrow.Status.Refunded);
    }
}
