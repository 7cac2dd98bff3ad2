// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {EscrowSettings} from "../../src/EscrowSettings.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {Vm} from "../support/Vm.sol";

contract SettingsTest is EscrowFixture {
    // ---------------------------------------------------------------- construction

    function create(
        address owner_,
        address entitlements_,
        address signer_,
        address arbiter_,
        address feeRecipient_,
        uint16 feeBps,
        uint64 disputeWindow,
        uint64 holdPeriod
    ) external returns (AgentNexusEscrow) {
        return new AgentNexusEscrow(
            owner_, entitlements_, signer_, arbiter_, feeRecipient_, feeBps, disputeWindow, holdPeriod
        );
    }

    function expectNotCreated(bytes memory reason) internal {
        vm.expectRevert(reason);
    }

    function test_a_new_escrow_is_what_was_asked_for() public {
        AgentNexusEscrow fresh =
            this.create(owner, address(entitlements), signer, arbiter, feeRecipient, 1000, 365 days, 365 days);
        vm.assertEq(fresh.owner(), owner);
        vm.assertEq(address(fresh.entitlements()), address(entitlements));
        vm.assertEq(fresh.quoteSigner(), signer);
        vm.assertEq(fresh.arbiter(), arbiter);
        vm.assertEq(fresh.feeRecipient(), feeRecipient);
        vm.assertEq(fresh.platformFeeBps(), 1000);
        vm.assertEq(fresh.disputeWindow(), 365 days);
        vm.assertEq(fresh.holdPeriod(), 365 days);
        vm.assertTrue(fresh.isTokenSupported(address(0)));
        vm.assertFalse(fresh.isTokenSupported(address(usdc)));
        vm.assertFalse(fresh.paused());
    }

    function test_a_new_escrow_announces_its_settings() public {
        vm.recordLogs();
        this.create(owner, address(entitlements), signer, arbiter, feeRecipient, 1, 1, 1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32[6] memory expected = [
            Ownable.OwnershipTransferred.selector,
            EscrowSettings.QuoteSignerChanged.selector,
            EscrowSettings.ArbiterChanged.selector,
            EscrowSettings.FeeRecipientChanged.selector,
            EscrowSettings.PlatformFeeChanged.selector,
            EscrowSettings.TokenSupportChanged.selector
        ];
        vm.assertEq(logs.length, expected.length);
        for (uint256 i = 0; i < expected.length; ++i) {
            vm.assertEq(logs[i].topics[0], expected[i]);
        }
    }

    function test_reverts_when_created_without_an_owner() public {
        expectNotCreated(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        this.create(address(0), address(entitlements), signer, arbiter, feeRecipient, 1, 1, 1);
    }

    function test_reverts_when_created_without_a_part() public {
        bytes memory reason = abi.encodeWithSelector(EscrowSettings.ZeroAddress.selector);
        expectNotCreated(reason);
        this.create(owner, address(0), signer, arbiter, feeRecipient, 1, 1, 1);
        expectNotCreated(reason);
        this.create(owner, address(entitlements), address(0), arbiter, feeRecipient, 1, 1, 1);
        expectNotCreated(reason);
        this.create(owner, address(entitlements), signer, address(0), feeRecipient, 1, 1, 1);
        expectNotCreated(reason);
        this.create(owner, address(entitlements), signer, arbiter, address(0), 1, 1, 1);
    }

    function test_reverts_when_created_with_a_period_out_of_range() public {
        uint64 longest = 365 days;
        expectNotCreated(abi.encodeWithSelector(AgentNexusEscrow.PeriodOutOfRange.selector, uint64(0), longest));
        this.create(owner, address(entitlements), signer, arbiter, feeRecipient, 1, 0, 1);
        expectNotCreated(abi.encodeWithSelector(AgentNexusEscrow.PeriodOutOfRange.selector, uint64(0), longest));
        this.create(owner, address(entitlements), signer, arbiter, feeRecipient, 1, 1, 0);
        expectNotCreated(abi.encodeWithSelector(AgentNexusEscrow.PeriodOutOfRange.selector, longest + 1, longest));
        this.create(owner, address(entitlements), signer, arbiter, feeRecipient, 1, longest + 1, 1);
        expectNotCreated(abi.encodeWithSelector(AgentNexusEscrow.PeriodOutOfRange.selector, longest + 1, longest));
        this.create(owner, address(entitlements), signer, arbiter, feeRecipient, 1, 1, longest + 1);
    }

    function test_reverts_when_created_with_too_high_a_fee() public {
        expectNotCreated(abi.encodeWithSelector(EscrowSettings.FeeTooHigh.selector, uint16(1001), uint16(1000)));
        this.create(owner, address(entitlements), signer, arbiter, feeRecipient, 1001, 1, 1);
    }

    // ---------------------------------------------------------------- changes

    function test_the_owner_changes_the_fee() public {
        vm.prank(owner);
        vm.expectEmit(address(escrow));
        emit EscrowSettings.PlatformFeeChanged(1000);
        escrow.setPlatformFee(1000);
        vm.assertEq(escrow.platformFeeBps(), 1000);
    }

    function test_the_owner_changes_the_fee_recipient() public {
        vm.prank(owner);
        vm.expectEmit(address(escrow));
        emit EscrowSettings.FeeRecipientChanged(friend);
        escrow.setFeeRecipient(friend);
        vm.assertEq(escrow.feeRecipient(), friend);
    }

    function test_the_owner_changes_the_quote_signer() public {
        vm.prank(owner);
        vm.expectEmit(address(escrow));
        emit EscrowSettings.QuoteSignerChanged(friend);
        escrow.setQuoteSigner(friend);
        vm.assertEq(escrow.quoteSigner(), friend);
    }

    function test_the_owner_changes_the_arbiter() public {
        vm.prank(owner);
        vm.expectEmit(address(escrow));
        emit EscrowSettings.ArbiterChanged(friend);
        escrow.setArbiter(friend);
        vm.assertEq(escrow.arbiter(), friend);
    }

    function test_the_owner_changes_the_tokens() public {
        vm.startPrank(owner);
        vm.expectEmit(address(escrow));
        emit EscrowSettings.TokenSupportChanged(address(usdc), false);
        escrow.setTokenSupported(address(usdc), false);
        vm.assertFalse(escrow.isTokenSupported(address(usdc)));
        escrow.setTokenSupported(address(0), false);
        vm.assertFalse(escrow.isTokenSupported(address(0)));
        escrow.setTokenSupported(address(0), true);
        vm.assertTrue(escrow.isTokenSupported(address(0)));
        // a token that has destroyed itself can still be struck off
        escrow.setTokenSupported(stranger, false);
        vm.stopPrank();
    }

    function test_the_owner_pauses_and_unpauses() public {
        vm.startPrank(owner);
        escrow.pause();
        vm.assertTrue(escrow.paused());
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        escrow.pause();
        escrow.unpause();
        vm.assertFalse(escrow.paused());
        vm.stopPrank();
        depositEther();
    }

    function test_ownership_moves_in_two_steps() public {
        vm.prank(owner);
        escrow.transferOwnership(friend);
        vm.assertEq(escrow.owner(), owner);
        vm.prank(friend);
        escrow.acceptOwnership();
        vm.assertEq(escrow.owner(), friend);
    }

    function test_reverts_when_the_fee_is_too_high() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(EscrowSettings.FeeTooHigh.selector, uint16(1001), uint16(1000)));
        escrow.setPlatformFee(1001);
    }

    function test_reverts_when_the_token_has_no_code() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(EscrowSettings.TokenHasNoCode.selector, stranger));
        escrow.setTokenSupported(stranger, true);
    }

    function test_reverts_when_an_address_is_zero() public {
        vm.startPrank(owner);
        bytes memory reason = abi.encodeWithSelector(EscrowSettings.ZeroAddress.selector);
        vm.expectRevert(reason);
        escrow.setFeeRecipient(address(0));
        vm.expectRevert(reason);
        escrow.setQuoteSigner(address(0));
        vm.expectRevert(reason);
        escrow.setArbiter(address(0));
    }

    function test_reverts_when_the_owner_would_renounce() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(EscrowSettings.RenouncingDisabled.selector));
        escrow.renounceOwnership();
    }

    function test_reverts_when_the_caller_is_not_the_owner() public {
        bytes[9] memory calls = [
            abi.encodeCall(escrow.setPlatformFee, (1)),
            abi.encodeCall(escrow.setFeeRecipient, (stranger)),
            abi.encodeCall(escrow.setQuoteSigner, (stranger)),
            abi.encodeCall(escrow.setArbiter, (stranger)),
            abi.encodeCall(escrow.setTokenSupported, (address(0), true)),
            abi.encodeCall(escrow.pause, ()),
            abi.encodeCall(escrow.unpause, ()),
            abi.encodeCall(escrow.renounceOwnership, ()),
            abi.encodeCall(escrow.transferOwnership, (stranger))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory reason) = address(escrow).call(calls[i]);
            vm.assertFalse(success, "not refused");
            vm.assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger))
            );
        }
    }
}
