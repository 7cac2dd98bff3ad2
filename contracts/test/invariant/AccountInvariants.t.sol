// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentAccount} from "../../src/accounts/AgentAccount.sol";
import {AgentPasskeyAccount} from "../../src/accounts/AgentPasskeyAccount.sol";
import {TestBase} from "../support/TestBase.sol";
import {AccountHandler} from "./AccountHandler.sol";

contract AccountInvariants is TestBase {
    bytes32 private constant IMPLEMENTATION_SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

    struct Identity {
        address implementation;
        address wallet;
        bytes32 x;
        bytes32 y;
    }

    AccountHandler internal handler;
    mapping(uint256 => Identity) internal made;

    function setUp() public {
        handler = new AccountHandler();
        for (uint256 i = 0; i < handler.COUNT(); ++i) {
            made[i] = identity(i);
        }
        bytes4[] memory steps = new bytes4[](10);
        steps[0] = handler.spend.selector;
        steps[1] = handler.spendDirectly.selector;
        steps[2] = handler.feed.selector;
        steps[3] = handler.replay.selector;
        steps[4] = handler.transplant.selector;
        steps[5] = handler.carryOver.selector;
        steps[6] = handler.change.selector;
        steps[7] = handler.forge.selector;
        steps[8] = handler.trespass.selector;
        steps[9] = handler.changeBackup.selector;
        targetContract(address(handler));
        targetSelectors(address(handler), steps);
    }

    function identity(uint256 i) internal view returns (Identity memory who) {
        address payable there = payable(address(handler.accounts(i)));
        who.implementation = address(uint160(uint256(vm.load(there, IMPLEMENTATION_SLOT))));
        if (i < 3) who.wallet = AgentAccount(there).signer();
        else (who.x, who.y) = AgentPasskeyAccount(there).signer();
    }

    /// @dev One campaign checks them all after each step.
    /// forge-config: default.invariant.runs = 6
    /// forge-config: deep.invariant.runs = 48
    function invariant_all_hold() public view {
        for (uint256 i = 0; i < handler.COUNT(); ++i) {
            AccountHandler.Book memory book = handler.bookOf(i);
            invariantOnlyTheOwnerMovesMoney(i, book);
            invariantEachSignatureCountsOnce(i, book);
            invariantOwnerAndCodeStay(i, book);
        }
    }

    /// @dev What an account has is what came in, less what its owner sent and the gas of the owner's operations.
    function invariantOnlyTheOwnerMovesMoney(uint256 i, AccountHandler.Book memory book) internal view {
        vm.assertEq(handler.holds(i), book.received - book.spent - book.gas, "held");
        vm.assertEq(handler.moved(i), book.spent, "moved");
    }

    /// @dev The operations counted by EntryPoint are those of the owner.
    function invariantEachSignatureCountsOnce(uint256 i, AccountHandler.Book memory book) internal view {
        vm.assertEq(handler.nonceOf(i), book.operations, "operations");
    }

    /// @dev Nobody became an owner of an account beside those that its owner named, or put another implementation behind it.
    function invariantOwnerAndCodeStay(uint256 i, AccountHandler.Book memory book) internal view {
        Identity memory now_ = identity(i);
        vm.assertEq(now_.implementation, made[i].implementation);
        vm.assertEq(now_.wallet, made[i].wallet);
        vm.assertEq(now_.x, made[i].x);
        vm.assertEq(now_.y, made[i].y);
        if (i < 3) return;
        (uint256 qx, uint256 qy) = book.backup == 0 ? (0, 0) : vm.publicKeyP256(book.backup);
        (bytes32 backupX, bytes32 backupY) = AgentPasskeyAccount(payable(address(handler.accounts(i)))).backup();
        vm.assertEq(backupX, bytes32(qx));
        vm.assertEq(backupY, bytes32(qy));
    }
}
