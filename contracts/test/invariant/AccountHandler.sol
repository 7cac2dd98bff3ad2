// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AccountFixture, Target} from "../support/AccountFixture.sol";

/// @dev Owners spend from their accounts, through EntryPoint and directly, while others try all they can: forged, old,
/// transplanted and half-made signatures, and calls from outside. What must fail and does not is an error at once; what
/// owners did is kept for the invariants.
contract AccountHandler is AccountFixture {
    struct Book {
        /// Wei that came in.
        uint256 received;
        /// Wei that its owner had it send.
        uint256 spent;
        /// Wei that its owner's operations cost.
        uint256 gas;
        /// Operations of its owner.
        uint256 operations;
        /// The secret of a passkey account's backup, 0 without one.
        uint256 backup;
    }

    uint256 internal constant OTHER_KEY = 0xB0B;
    uint256 public constant COUNT = 5;
    uint256 private constant PASSKEYS = 3; // from here on they belong to the passkey
    AccountCore[COUNT] public accounts;
    Book[COUNT] internal books;
    PackedUserOperation[] private _done;
    address private immutable _rogue;

    constructor() {
        setUp();
        accounts[0] = account;
        accounts[1] = AccountCore(payable(factory.createAccount(owner, 1)));
        accounts[2] = AccountCore(payable(factory.createAccount(vm.addr(OTHER_KEY), 0)));
        accounts[3] = passkeyAccount;
        accounts[4] = AccountCore(payable(factory.createPasskeyAccount(x, y, 1)));
        for (uint256 i = 0; i < COUNT; ++i) {
            vm.deal(address(accounts[i]), 100 ether);
            books[i].received = 100 ether;
        }
        _rogue = address(factory.walletImplementation());
    }

    function bookOf(uint256 i) external view returns (Book memory) {
        return books[i];
    }

    function moved(uint256 i) external view returns (uint256) {
        return target.receivedFrom(address(accounts[i]));
    }

    /// @dev What an account has, at EntryPoint and by itself.
    function holds(uint256 i) external view returns (uint256) {
        return address(accounts[i]).balance + entryPoint.balanceOf(address(accounts[i]));
    }

    function nonceOf(uint256 i) external view returns (uint256) {
        return entryPoint.getNonce(address(accounts[i]), 0);
    }

    // ---------------------------------------------------------------- what owners do

    function spend(uint256 i, uint256 value) external {
        i %= COUNT;
        value = bound(value, 0, address(accounts[i]).balance / 10);
        PackedUserOperation memory op = operation(accounts[i], taking(value));
        uint256 backup = books[i].backup;
        op = backup != 0 && value % 2 == 0 ? signedByPasskey(backup, op) : signed(i, op);
        uint256 before = beneficiary.balance;
        handle(op);
        books[i].gas += beneficiary.balance - before;
        books[i].spent += value;
        ++books[i].operations;
        _done.push(op);
    }

    function spendDirectly(uint256 i, uint256 value) external {
        i %= PASSKEYS;
        value = bound(value, 0, address(accounts[i]).balance / 10);
        vm.prank(i == 2 ? vm.addr(OTHER_KEY) : owner);
        accounts[i].execute(address(target), value, abi.encodeCall(Target.take, ()));
        books[i].spent += value;
    }

    function feed(uint256 i, uint256 value, bool atEntryPoint) external {
        i %= COUNT;
        value = bound(value, 0, 1 ether);
        vm.deal(address(this), value);
        if (atEntryPoint) {
            entryPoint.depositTo{value: value}(address(accounts[i]));
        } else {
            (bool sent,) = address(accounts[i]).call{value: value}("");
            vm.assertTrue(sent, "an account takes ether");
        }
        books[i].received += value;
    }

    /// @dev A passkey's account gets another backup or loses it; the one before signs no longer.
    function changeBackup(uint256 i, uint256 secret) external {
        i = PASSKEYS + i % (COUNT - PASSKEYS);
        uint256 before = books[i].backup;
        secret = secret % 3 == 0 ? 0 : bound(secret, PASSKEY + 1, P256.N - 1);
        if (secret == P256.N - PASSKEY) return;
        (uint256 qx, uint256 qy) = secret == 0 ? (0, 0) : vm.publicKeyP256(secret);
        vm.prank(address(accounts[i]));
        asPasskeyAccount(address(accounts[i])).setKeys(x, y, bytes32(qx), bytes32(qy));
        books[i].backup = secret;
        if (before != 0 && before != secret) mustBeRefused(signedByPasskey(before, spending(i)));
    }

    // ---------------------------------------------------------------- what others try

    function replay(uint256 pick) external {
        if (_done.length > 0) mustBeRefused(_done[pick % _done.length]);
    }

    function transplant(uint256 from, uint256 to) external {
        (from, to) = (from % COUNT, to % COUNT);
        if (from == to) return;
        PackedUserOperation memory op = signed(from, spending(from));
        (op.sender, op.nonce) = (address(accounts[to]), entryPoint.getNonce(address(accounts[to]), 0));
        mustBeRefused(op);
    }

    function carryOver(uint256 i, uint64 chain) external {
        PackedUserOperation memory op = signed(i % COUNT, spending(i % COUNT));
        uint256 here = block.chainid;
        vm.chainId(here + bound(chain, 1, 1000));
        mustBeRefused(op);
        vm.chainId(here);
    }

    function change(uint256 i, uint256 value) external {
        PackedUserOperation memory op = signed(i % COUNT, spending(i % COUNT));
        op.callData = taking(bound(value, 2, 100 ether));
        mustBeRefused(op);
    }

    function forge(uint256 i, bytes calldata signature, uint256 key, bytes1 flags) external {
        PackedUserOperation memory op = spending(i % COUNT);
        op.signature = signature;
        mustBeRefused(op);
        mustBeRefused(signedBy(STRANGER_KEY, op));
        mustBeRefused(signedByPasskey(bound(key, 1, PASSKEY - 1), op));
        op.signature = assertion(PASSKEY, entryPoint.getUserOpHash(op), flags & ~bytes1(0x04));
        mustBeRefused(op);
    }

    /// @dev Calls from outside, also by another account of the same owner and by the other owner.
    function trespass(uint256 i, uint256 who, uint256 way, uint256 value) external {
        i %= COUNT;
        address[6] memory callers = [
            stranger,
            address(factory),
            _rogue,
            address(target),
            address(accounts[(i + 1 + who % (COUNT - 1)) % COUNT]),
            i == 2 ? owner : vm.addr(OTHER_KEY)
        ];
        address caller = callers[who % callers.length];
        AccountCore.Call[] memory batch = new AccountCore.Call[](1);
        batch[0] = AccountCore.Call(caller, value, "");
        PackedUserOperation memory op = signed(i, spending(i));
        bytes[6] memory calls = [
            abi.encodeCall(AccountCore.execute, (caller, value, "")),
            abi.encodeCall(AccountCore.executeBatch, (batch)),
            abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (_rogue, "")),
            abi.encodeWithSignature("initialize(address)", caller),
            abi.encodeCall(passkeyAccount.setKeys, (x, y, 0, 0)),
            abi.encodeCall(account.validateUserOp, (op, entryPoint.getUserOpHash(op), 1 ether))
        ];
        vm.prank(caller);
        (bool done,) = address(accounts[i]).call(calls[way % calls.length]);
        vm.assertFalse(done, "a trespasser was let in");
    }

    // ---------------------------------------------------------------- helpers

    function spending(uint256 i) private view returns (PackedUserOperation memory) {
        return operation(accounts[i], taking(1));
    }

    function signed(uint256 i, PackedUserOperation memory op) private view returns (PackedUserOperation memory) {
        return i < PASSKEYS ? signedBy(i == 2 ? OTHER_KEY : OWNER_KEY, op) : signedByPasskey(PASSKEY, op);
    }

    function mustBeRefused(PackedUserOperation memory op) private {
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(stranger, stranger);
        (bool done,) = address(entryPoint).call(abi.encodeCall(entryPoint.handleOps, (ops, beneficiary)));
        vm.assertFalse(done, "an operation was accepted that its owner did not sign");
    }
}
