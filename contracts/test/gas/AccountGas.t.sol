// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";

import {AgentNexusEntitlements} from "../../src/AgentNexusEntitlements.sol";
import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {Quote} from "../../src/Quotes.sol";
import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {TestUSDC} from "../../src/local/TestUSDC.sol";
import {PaymasterFixture} from "../support/PaymasterFixture.sol";

interface ISimpleAccountFactory {
    function createAccount(address owner, uint256 salt) external returns (address);
}

interface ISimpleAccount {
    function executeBatch(address[] calldata targets, uint256[] calldata values, bytes[] calldata data) external;
}

/// @dev Making accounts and buying by user operation (approve and deposit in one), beside eth-infinitism's SimpleAccount as
/// published. Everybody has bought before, and EntryPoint keeps a deposit for every account, as after a first operation.
contract AccountGasTest is PaymasterFixture {
    uint256 internal constant QUOTE_KEY = 0x0C0;
    uint256 internal constant BACKUP = 0xB0B;
    uint256 internal constant PRICE = 25e6;
    AgentNexusEscrow internal escrow;
    TestUSDC internal usdc;
    ISimpleAccountFactory internal simpleFactory;
    address internal simple;
    uint256 private _salt;

    function setUp() public override {
        super.setUp();
        AgentNexusEntitlements entitlements = new AgentNexusEntitlements(admin);
        escrow =
            new AgentNexusEscrow(admin, address(entitlements), vm.addr(QUOTE_KEY), admin, admin, 250, 3 days, 30 days);
        usdc = new TestUSDC();
        vm.startPrank(admin);
        entitlements.setMinter(address(escrow), true);
        escrow.setTokenSupported(address(usdc), true);
        vm.stopPrank();
        simpleFactory = ISimpleAccountFactory(deployPublished("SimpleAccountFactory", abi.encode(entryPoint)));
        simple = simpleFactory.createAccount(owner, 0);
        vm.deal(address(this), 10 ether);
        address[3] memory accounts = [address(account), address(passkeyAccount), simple];
        for (uint256 i = 0; i < accounts.length; ++i) {
            usdc.mint(accounts[i], 100 * PRICE);
            entryPoint.depositTo{value: 1 ether}(accounts[i]);
        }
        handle(signedBy(OWNER_KEY, operation(account, ours(purchaseBy(address(account))))));
        handle(signedByPasskey(PASSKEY, operation(passkeyAccount, ours(purchaseBy(address(passkeyAccount))))));
        handle(signedBy(OWNER_KEY, operation(AccountCore(payable(simple)), theirs(purchaseBy(simple)))));
    }

    function deployPublished(string memory name, bytes memory arguments) internal returns (address deployed) {
        string memory path = string.concat("node_modules/@account-abstraction/contracts/artifacts/", name, ".json");
        bytes memory code = bytes.concat(vm.parseJsonBytes(vm.readFile(path), ".bytecode"), arguments);
        assembly {
            deployed := create(0, add(code, 32), mload(code))
        }
    }

    // ---------------------------------------------------------------- the purchase

    struct Step {
        address target;
        bytes data;
    }

    function purchaseBy(address buyer) internal returns (Step[] memory steps) {
        Quote memory quote = Quote({
            agentId: 7,
            creator: beneficiary,
            buyer: buyer,
            recipient: buyer,
            token: address(usdc),
            amount: PRICE,
            accessDuration: 30 days,
            validUntil: uint64(block.timestamp) + 15 minutes,
            salt: bytes32(++_salt)
        });
        steps = new Step[](2);
        steps[0] = Step(address(usdc), abi.encodeCall(usdc.approve, (address(escrow), PRICE)));
        bytes memory signature = ecdsa(QUOTE_KEY, escrow.hashQuote(quote));
        steps[1] = Step(address(escrow), abi.encodeCall(escrow.depositPayment, (quote, signature)));
    }

    function ours(Step[] memory steps) internal pure returns (bytes memory) {
        AccountCore.Call[] memory calls = new AccountCore.Call[](2);
        for (uint256 i = 0; i < 2; ++i) {
            calls[i] = AccountCore.Call(steps[i].target, 0, steps[i].data);
        }
        return abi.encodeCall(AccountCore.executeBatch, (calls));
    }

    function theirs(Step[] memory steps) internal pure returns (bytes memory) {
        address[] memory targets = new address[](2);
        bytes[] memory data = new bytes[](2);
        for (uint256 i = 0; i < 2; ++i) {
            (targets[i], data[i]) = (steps[i].target, steps[i].data);
        }
        return abi.encodeCall(ISimpleAccount.executeBatch, (targets, new uint256[](0), data));
    }

    function bought(PackedUserOperation memory op, string memory group, string memory name) internal {
        uint256 before = usdc.balanceOf(address(escrow));
        handle(op);
        vm.snapshotGasLastCall(group, name);
        vm.assertEq(usdc.balanceOf(address(escrow)), before + PRICE);
    }

    // ---------------------------------------------------------------- figures

    /// forge-config: default.isolate = true
    function test_gas_account_create() public {
        factory.createAccount(stranger, 0);
        vm.snapshotGasLastCall("ours", "account_create");
        simpleFactory.createAccount(stranger, 0);
        vm.snapshotGasLastCall("naive", "account_create");
    }

    /// forge-config: default.isolate = true
    function test_gas_account_create_passkey() public {
        factory.createPasskeyAccount(x, y, 1);
        vm.snapshotGasLastCall("ours", "account_create_passkey");
    }

    /// forge-config: default.isolate = true
    function test_gas_account_purchase() public {
        bought(signedBy(OWNER_KEY, operation(account, ours(purchaseBy(address(account))))), "ours", "account_purchase");
        bought(
            signedBy(OWNER_KEY, operation(AccountCore(payable(simple)), theirs(purchaseBy(simple)))),
            "naive",
            "account_purchase"
        );
    }

    /// forge-config: default.isolate = true
    function test_gas_account_purchase_sponsored() public {
        PackedUserOperation memory op = operation(account, ours(purchaseBy(address(account))));
        bought(signedBy(OWNER_KEY, sponsored(op)), "ours", "account_purchase_sponsored");
    }

    /// forge-config: default.isolate = true
    /// forge-config: default.evm_version = "osaka"
    function test_gas_account_purchase_passkey() public {
        bought(passkeyPurchase(PASSKEY), "ours", "account_purchase_passkey");
    }

    /// @dev The first key is tried before it.
    /// forge-config: default.isolate = true
    /// forge-config: default.evm_version = "osaka"
    function test_gas_account_purchase_passkey_backup() public {
        (uint256 backupX, uint256 backupY) = vm.publicKeyP256(BACKUP);
        vm.prank(address(passkeyAccount));
        passkeyAccount.setKeys(x, y, bytes32(backupX), bytes32(backupY));
        bought(passkeyPurchase(BACKUP), "ours", "account_purchase_passkey_backup");
    }

    /// forge-config: default.isolate = true
    function test_gas_account_purchase_passkey_without_precompile() public {
        bought(passkeyPurchase(PASSKEY), "ours", "account_purchase_passkey_without_precompile");
    }

    function passkeyPurchase(uint256 key) internal returns (PackedUserOperation memory) {
        return signedByPasskey(key, operation(passkeyAccount, ours(purchaseBy(address(passkeyAccount)))));
    }
}
