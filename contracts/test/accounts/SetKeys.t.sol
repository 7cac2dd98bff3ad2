// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AgentPasskeyAccount} from "../../src/accounts/AgentPasskeyAccount.sol";
import {AccountFixture} from "../support/AccountFixture.sol";

contract SetKeysTest is AccountFixture {
    uint256 internal constant BACKUP = 0xB0B;

    function keyOf(uint256 secret) internal pure returns (bytes32, bytes32) {
        (uint256 qx, uint256 qy) = vm.publicKeyP256(secret);
        return (bytes32(qx), bytes32(qy));
    }

    /// @dev What the account is asked to do, as an operation of its own makes it call itself.
    function settingKeys(bytes32 x1, bytes32 y1, bytes32 x2, bytes32 y2) internal view returns (bytes memory) {
        bytes memory call = abi.encodeCall(AgentPasskeyAccount.setKeys, (x1, y1, x2, y2));
        return abi.encodeCall(AccountCore.execute, (address(passkeyAccount), 0, call));
    }

    function addBackup() internal {
        (bytes32 bx, bytes32 by) = keyOf(BACKUP);
        handle(signedByPasskey(PASSKEY, operation(passkeyAccount, settingKeys(x, y, bx, by))));
    }

    function assertKeys(bytes32 x1, bytes32 y1, bytes32 x2, bytes32 y2) internal view {
        (bytes32 gotX, bytes32 gotY) = passkeyAccount.signer();
        vm.assertEq(gotX, x1);
        vm.assertEq(gotY, y1);
        (gotX, gotY) = passkeyAccount.backup();
        vm.assertEq(gotX, x2);
        vm.assertEq(gotY, y2);
    }

    function test_an_account_begins_without_a_backup() public view {
        assertKeys(x, y, 0, 0);
    }

    function test_a_backup_signs_as_the_first_key_does() public {
        addBackup();
        (bytes32 bx, bytes32 by) = keyOf(BACKUP);
        assertKeys(x, y, bx, by);

        handle(signedByPasskey(BACKUP, operation(passkeyAccount, taking(3))));
        handle(signedByPasskey(PASSKEY, operation(passkeyAccount, taking(4))));
        vm.assertEq(target.received(), 7);
        expectRefused(signedByPasskey(0x0DD, operation(passkeyAccount, taking(1))), "AA24 signature error");
    }

    function test_the_backup_puts_a_new_key_in_the_place_of_a_lost_one() public {
        addBackup();
        (bytes32 bx, bytes32 by) = keyOf(BACKUP);
        (bytes32 nx, bytes32 ny) = keyOf(0xFEED);

        handle(signedByPasskey(BACKUP, operation(passkeyAccount, settingKeys(bx, by, nx, ny))));

        assertKeys(bx, by, nx, ny);
        expectRefused(signedByPasskey(PASSKEY, operation(passkeyAccount, taking(1))), "AA24 signature error");
        handle(signedByPasskey(0xFEED, operation(passkeyAccount, taking(2))));
        vm.assertEq(target.received(), 2);
    }

    function test_a_backup_that_was_removed_signs_no_longer() public {
        addBackup();
        handle(signedByPasskey(PASSKEY, operation(passkeyAccount, settingKeys(x, y, 0, 0))));

        assertKeys(x, y, 0, 0);
        expectRefused(signedByPasskey(BACKUP, operation(passkeyAccount, taking(1))), "AA24 signature error");
    }

    /// @dev The same secret with the other sign has the same x: lost with the key it stands in for.
    function test_reverts_when_the_backup_is_the_key_with_another_sign() public {
        vm.prank(address(passkeyAccount));
        vm.expectRevert(AgentPasskeyAccount.BackupIsTheKey.selector);
        passkeyAccount.setKeys(x, y, x, bytes32(P256.P - uint256(y)));
    }

    function test_the_entry_point_changes_keys_for_the_owner() public {
        (bytes32 bx, bytes32 by) = keyOf(BACKUP);
        bytes memory call = abi.encodeCall(AgentPasskeyAccount.setKeys, (bx, by, x, y));
        handle(signedByPasskey(PASSKEY, operation(passkeyAccount, call)));
        assertKeys(bx, by, x, y);
    }

    function test_reverts_when_the_backup_signed_for_another_account_or_chain() public {
        addBackup();
        AgentPasskeyAccount other = asPasskeyAccount(factory.createPasskeyAccount(x, y, 1));
        vm.deal(address(other), 1 ether);
        (bytes32 bx, bytes32 by) = keyOf(BACKUP);
        vm.prank(address(other));
        other.setKeys(x, y, bx, by);

        PackedUserOperation memory op = signedByPasskey(BACKUP, operation(passkeyAccount, taking(1)));
        vm.chainId(block.chainid + 1);
        expectRefused(op, "AA24 signature error");
        vm.chainId(block.chainid - 1);
        (op.sender, op.nonce) = (address(other), 0);
        expectRefused(op, "AA24 signature error");
    }

    function test_reverts_when_the_person_with_the_backup_was_not_verified() public {
        addBackup();
        PackedUserOperation memory op = operation(passkeyAccount, taking(1));
        op.signature = assertion(BACKUP, entryPoint.getUserOpHash(op), 0x01);
        expectRefused(op, "AA24 signature error");
    }

    function test_a_change_says_what_it_changed() public {
        (bytes32 bx, bytes32 by) = keyOf(BACKUP);
        vm.expectEmit(address(passkeyAccount));
        emit AgentPasskeyAccount.KeysChanged(x, y, bx, by);
        vm.prank(address(passkeyAccount));
        passkeyAccount.setKeys(x, y, bx, by);
    }

    function test_reverts_when_anybody_else_changes_the_keys() public {
        (bytes32 bx, bytes32 by) = keyOf(BACKUP);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, stranger));
        passkeyAccount.setKeys(bx, by, 0, 0);
        vm.prank(address(factory));
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, address(factory)));
        passkeyAccount.setKeys(bx, by, 0, 0);
    }

    function test_reverts_when_a_key_is_no_point_of_the_curve() public {
        vm.startPrank(address(passkeyAccount));
        vm.expectRevert(abi.encodeWithSelector(AgentPasskeyAccount.InvalidPublicKey.selector, bytes32(0), bytes32(0)));
        passkeyAccount.setKeys(0, 0, x, y);
        vm.expectRevert(abi.encodeWithSelector(AgentPasskeyAccount.InvalidPublicKey.selector, x, x));
        passkeyAccount.setKeys(x, y, x, x);
        vm.expectRevert(abi.encodeWithSelector(AgentPasskeyAccount.InvalidPublicKey.selector, x, bytes32(0)));
        passkeyAccount.setKeys(x, y, x, 0);
        vm.expectRevert(abi.encodeWithSelector(AgentPasskeyAccount.InvalidPublicKey.selector, bytes32(0), y));
        passkeyAccount.setKeys(x, y, 0, y);
        assertKeys(x, y, 0, 0);
    }

    function test_reverts_when_the_backup_is_the_key_itself() public {
        vm.startPrank(address(passkeyAccount));
        vm.expectRevert(AgentPasskeyAccount.BackupIsTheKey.selector);
        passkeyAccount.setKeys(x, y, x, y);
    }
}
