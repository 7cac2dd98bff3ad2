// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IEntryPoint} from "@account-abstraction/contracts/interfaces/IEntryPoint.sol";
import {PackedUserOperation} from "@account-abstraction/contracts/interfaces/PackedUserOperation.sol";

import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {Quote} from "../../src/Quotes.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {Vm} from "../support/Vm.sol";

interface ISimpleAccountFactory {
    function createAccount(address owner, uint256 salt) external returns (address);
    function getAddress(address owner, uint256 salt) external view returns (address);
}

interface ISimpleAccount {
    function execute(address target, uint256 value, bytes calldata data) external;
    function executeBatch(address[] calldata targets, uint256[] calldata values, bytes[] calldata data) external;
}

/// @dev Purchases by an ERC-4337 account through EntryPoint v0.7, as published, the first of which also creates the
/// account.
contract SmartAccountTest is EscrowFixture {
    uint256 internal constant OWNER_KEY = 0xACC0;
    address payable internal immutable bundler = payable(address(0xB0B0));

    IEntryPoint internal entryPoint;
    ISimpleAccountFactory internal factory;
    address internal account;

    function setUp() public override {
        super.setUp();
        entryPoint = IEntryPoint(deployPublished("EntryPoint", ""));
        factory = ISimpleAccountFactory(deployPublished("SimpleAccountFactory", abi.encode(entryPoint)));
        account = factory.getAddress(vm.addr(OWNER_KEY), 0);
        vm.deal(account, 1 ether);
        usdc.mint(account, USDC_PRICE);
    }

    function deployPublished(string memory name, bytes memory arguments) internal returns (address deployed) {
        string memory path = string.concat("node_modules/@account-abstraction/contracts/artifacts/", name, ".json");
        bytes memory code = bytes.concat(vm.parseJsonBytes(vm.readFile(path), ".bytecode"), arguments);
        assembly {
            deployed := create(0, add(code, 32), mload(code))
        }
    }

    /// @dev Returns whether the call inside succeeded, which is not whether the transaction did.
    function send(bytes memory call) internal returns (bool success) {
        PackedUserOperation[] memory operations = new PackedUserOperation[](1);
        bool exists = account.code.length > 0;
        operations[0] = PackedUserOperation({
            sender: account,
            nonce: entryPoint.getNonce(account, 0),
            initCode: exists
                ? bytes("")
                : abi.encodePacked(factory, abi.encodeCall(factory.createAccount, (vm.addr(OWNER_KEY), 0))),
            callData: call,
            accountGasLimits: bytes32(uint256(600_000) << 128 | 400_000),
            preVerificationGas: 60_000,
            gasFees: bytes32(uint256(1 gwei) << 128 | 1 gwei),
            paymasterAndData: "",
            signature: ""
        });
        bytes32 hash = entryPoint.getUserOpHash(operations[0]);
        operations[0].signature =
            signDigest(OWNER_KEY, keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", hash)));
        vm.recordLogs();
        vm.prank(bundler, bundler);
        entryPoint.handleOps(operations, bundler);
        return operationSucceeded();
    }

    function operationSucceeded() internal returns (bool success) {
        bytes32 topic = keccak256("UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == topic) (, success) = abi.decode(logs[i].data, (uint256, bool));
        }
    }

    function accountQuote(address token, uint256 amount) internal returns (Quote memory quote) {
        quote = etherQuote();
        (quote.buyer, quote.recipient, quote.token, quote.amount) = (account, account, token, amount);
    }

    function approveAndPay(Quote memory quote) internal view returns (bytes memory) {
        address[] memory targets = new address[](2);
        bytes[] memory calls = new bytes[](2);
        (targets[0], targets[1]) = (address(usdc), address(escrow));
        calls[0] = abi.encodeCall(usdc.approve, (address(escrow), quote.amount));
        calls[1] = abi.encodeCall(escrow.depositPayment, (quote, sign(quote)));
        return abi.encodeCall(ISimpleAccount.executeBatch, (targets, new uint256[](0), calls));
    }

    function test_a_new_account_approves_and_pays_in_one_operation() public {
        Quote memory quote = accountQuote(address(usdc), USDC_PRICE);

        vm.assertTrue(send(approveAndPay(quote)));

        vm.assertEq(usdc.balanceOf(address(escrow)), USDC_PRICE);
        vm.assertTrue(entitlements.hasValidToken(account, AGENT));
        vm.assertEq(escrow.payments(escrow.hashQuote(quote)).payer, account);
    }

    function test_an_account_pays_in_ether_and_gets_its_refund() public {
        Quote memory quote = accountQuote(address(0), PRICE);
        bytes memory deposit_ = abi.encodeCall(escrow.depositPayment, (quote, sign(quote)));
        vm.assertTrue(send(abi.encodeCall(ISimpleAccount.execute, (address(escrow), PRICE, deposit_))));
        bytes32 id = escrow.hashQuote(quote);
        vm.prank(creator);
        escrow.refundPayment(id);
        uint256 before = account.balance;

        escrow.withdraw(address(0), account);

        vm.assertEq(account.balance, before + PRICE);
        vm.assertFalse(entitlements.hasValidToken(account, AGENT));
    }

    function test_an_account_disputes_its_payment() public {
        Quote memory quote = accountQuote(address(usdc), USDC_PRICE);
        send(approveAndPay(quote));
        bytes32 id = escrow.hashQuote(quote);
        bytes memory dispute_ = abi.encodeCall(escrow.openDispute, (id, "reason"));

        vm.assertTrue(send(abi.encodeCall(ISimpleAccount.execute, (address(escrow), 0, dispute_))));

        assertStatus(id, AgentNexusEscrow.Status.Disputed);
    }

    /// @dev The transaction succeeds, the purchase does not: who looks only at the receipt is deceived.
    function test_an_operation_may_be_included_and_yet_buy_nothing() public {
        Quote memory quote = accountQuote(address(usdc), USDC_PRICE + 1);

        vm.assertFalse(send(approveAndPay(quote)));

        vm.assertEq(usdc.balanceOf(address(escrow)), 0);
        vm.assertFalse(entitlements.hasValidToken(account, AGENT));
        assertStatus(escrow.hashQuote(quote), AgentNexusEscrow.Status.None);
    }
}
