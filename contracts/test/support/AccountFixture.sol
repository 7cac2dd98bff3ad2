// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AgentAccount} from "../../src/accounts/AgentAccount.sol";
import {AgentAccountFactory} from "../../src/accounts/AgentAccountFactory.sol";
import {AgentPasskeyAccount} from "../../src/accounts/AgentPasskeyAccount.sol";
import {TestBase} from "./TestBase.sol";

interface IEntryPointV07 is IEntryPoint {
    function getUserOpHash(PackedUserOperation calldata userOp) external view returns (bytes32);
    function getDepositInfo(address account)
        external
        view
        returns (uint256 deposit, bool staked, uint112 stake, uint32 unstakeDelaySec, uint48 withdrawTime);
}

/// @dev Keeps what it is called with; refuses when told to.
contract Target {
    error Refused(uint256 value);

    uint256 public calls;
    uint256 public received;
    uint256 public last;
    address public caller;
    mapping(address => uint256) public receivedFrom;

    function take() external payable returns (uint256) {
        (calls, received, last, caller) = (calls + 1, received + msg.value, msg.value, msg.sender);
        return receivedFrom[msg.sender] += msg.value;
    }

    function refuse() external payable {
        revert Refused(msg.value);
    }

    function refuseSilently() external payable {
        assembly {
            revert(0, 0)
        }
    }
}

/// @dev The real EntryPoint v0.7 at its canonical address, the factory, and accounts of both kinds with a little ether.
abstract contract AccountFixture is TestBase {
    address internal constant DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;
    bytes32 internal constant ENTRY_POINT_SALT = 0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3;
    IEntryPointV07 internal constant entryPoint = IEntryPointV07(0x0000000071727De22E5E9d8BAf0edAc6f37da032);
    uint256 internal constant OWNER_KEY = 0xA11CE;
    uint256 internal constant PASSKEY = 0xFACE;
    uint256 internal constant STRANGER_KEY = 0xBAD;

    address internal immutable owner = vm.addr(OWNER_KEY);
    address internal immutable stranger = vm.addr(STRANGER_KEY);
    address payable internal constant beneficiary = payable(address(0xBEEF));
    AgentAccountFactory internal factory;
    AgentAccount internal account;
    AgentPasskeyAccount internal passkeyAccount;
    bytes32 internal x;
    bytes32 internal y;
    Target internal target;

    function setUp() public virtual {
        vm.etch(
            DEPLOYER,
            hex"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
        );
        string memory json = vm.readFile("node_modules/@account-abstraction/contracts/artifacts/EntryPoint.json");
        bytes memory code = vm.parseJsonBytes(json, ".bytecode");
        (bool made,) = DEPLOYER.call(abi.encodePacked(ENTRY_POINT_SALT, code));
        vm.assertTrue(made && address(entryPoint).code.length > 0, "EntryPoint");
        factory = new AgentAccountFactory();
        (uint256 qx, uint256 qy) = vm.publicKeyP256(PASSKEY);
        (x, y) = (bytes32(qx), bytes32(qy));
        account = AgentAccount(payable(factory.createAccount(owner, 0)));
        passkeyAccount = AgentPasskeyAccount(payable(factory.createPasskeyAccount(x, y, 0)));
        vm.deal(address(account), 1 ether);
        vm.deal(address(passkeyAccount), 1 ether);
        target = new Target();
    }

    function asAccount(address there) internal pure returns (AgentAccount) {
        return AgentAccount(payable(there));
    }

    function asPasskeyAccount(address there) internal pure returns (AgentPasskeyAccount) {
        return AgentPasskeyAccount(payable(there));
    }

    // ---------------------------------------------------------------- user operations

    function operation(AccountCore sender, bytes memory callData)
        internal
        view
        returns (PackedUserOperation memory op)
    {
        op.sender = address(sender);
        op.nonce = entryPoint.getNonce(address(sender), 0);
        op.callData = callData;
        op.accountGasLimits = bytes32(abi.encodePacked(uint128(1_500_000), uint128(500_000)));
        op.preVerificationGas = 50_000;
        op.gasFees = bytes32(abi.encodePacked(uint128(1), uint128(1 gwei)));
    }

    function taking(uint256 value) internal view returns (bytes memory) {
        return abi.encodeCall(AccountCore.execute, (address(target), value, abi.encodeCall(Target.take, ())));
    }

    function signedBy(uint256 key, PackedUserOperation memory op) internal view returns (PackedUserOperation memory) {
        op.signature = ecdsa(key, MessageHashUtils.toEthSignedMessageHash(entryPoint.getUserOpHash(op)));
        return op;
    }

    function signedByPasskey(uint256 key, PackedUserOperation memory op)
        internal
        view
        returns (PackedUserOperation memory)
    {
        op.signature = assertion(key, entryPoint.getUserOpHash(op), 0x05);
        return op;
    }

    function handle(PackedUserOperation memory op) internal {
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(stranger, stranger);
        entryPoint.handleOps(ops, beneficiary);
    }

    function expectRefused(PackedUserOperation memory op, string memory reason) internal {
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(stranger, stranger);
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, reason));
        entryPoint.handleOps(ops, beneficiary);
    }

    // ---------------------------------------------------------------- signatures

    function ecdsa(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev What an authenticator and a browser make of `challenge`, signed; `flags` are 1 present, 4 verified.
    function assertion(uint256 key, bytes32 challenge, bytes1 flags) internal pure returns (bytes memory) {
        return encoded(assertionOf(key, challenge, flags));
    }

    function assertionOf(uint256 key, bytes32 challenge, bytes1 flags)
        internal
        pure
        returns (WebAuthn.WebAuthnAuth memory auth)
    {
        auth.challengeIndex = 23;
        auth.typeIndex = 1;
        auth.authenticatorData = abi.encodePacked(sha256("localhost"), flags, uint32(0));
        auth.clientDataJSON = string.concat(
            '{"type":"webauthn.get","challenge":"',
            Base64.encodeURL(abi.encodePacked(challenge)),
            '","origin":"http://localhost:8000","crossOrigin":false}'
        );
        seal(key, auth);
    }

    /// @dev Signs what `auth` says, as authenticators do, with s in the lower half.
    function seal(uint256 key, WebAuthn.WebAuthnAuth memory auth) internal pure {
        (auth.r, auth.s) =
            vm.signP256(key, sha256(abi.encodePacked(auth.authenticatorData, sha256(bytes(auth.clientDataJSON)))));
        if (uint256(auth.s) > P256.N / 2) auth.s = bytes32(P256.N - uint256(auth.s));
    }

    function encoded(WebAuthn.WebAuthnAuth memory auth) internal pure returns (bytes memory) {
        return
            abi.encode(auth.r, auth.s, auth.challengeIndex, auth.typeIndex, auth.authenticatorData, auth.clientDataJSON);
    }
}
