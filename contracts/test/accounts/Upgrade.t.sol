// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AgentAccount} from "../../src/accounts/AgentAccount.sol";
import {AccountFixture, Target} from "../support/AccountFixture.sol";

contract NextAccount is AgentAccount {
    function version() external pure returns (uint256) {
        return 2;
    }
}

/// @dev Says that it belongs into another place.
contract MisplacedImplementation {
    bytes32 public constant proxiableUUID = bytes32(uint256(1));
}

contract UpgradeTest is AccountFixture {
    function upgrade(address to) internal pure returns (bytes memory) {
        return abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (to, ""));
    }

    function test_the_owner_puts_another_implementation_in_place() public {
        address next = address(new NextAccount());
        vm.prank(owner);
        account.upgradeToAndCall(next, "");
        vm.assertEq(NextAccount(payable(address(account))).version(), 2);
        vm.assertEq(account.signer(), owner);
        vm.assertEq(address(account).balance, 1 ether);
    }

    function test_a_signed_operation_upgrades_a_wallets_account_and_calls_it() public {
        address next = address(new NextAccount());
        bytes memory take = abi.encodeCall(AccountCore.execute, (address(target), 1, abi.encodeCall(Target.take, ())));
        handle(signedBy(OWNER_KEY, operation(account, abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (next, "")))));
        vm.prank(owner);
        account.execute(address(account), 0, abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (next, take)));
        vm.assertEq(target.received(), 1);
    }

    function test_a_signed_operation_upgrades_a_passkey_account() public {
        address next = address(new NextAccount());
        bytes memory callData = abi.encodeCall(AccountCore.execute, (address(passkeyAccount), 0, upgrade(next)));
        handle(signedByPasskey(PASSKEY, operation(passkeyAccount, callData)));
        vm.assertEq(NextAccount(payable(address(passkeyAccount))).version(), 2);
    }

    function test_reverts_when_anybody_else_upgrades() public {
        address next = address(new NextAccount());
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, stranger));
        account.upgradeToAndCall(next, "");
        vm.prank(address(factory));
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, address(factory)));
        passkeyAccount.upgradeToAndCall(next, "");
    }

    function test_reverts_when_the_new_implementation_is_none() public {
        address misplaced = address(new MisplacedImplementation());
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ERC1967Utils.ERC1967InvalidImplementation.selector, address(target)));
        account.upgradeToAndCall(address(target), "");
        vm.expectRevert(bytes(""));
        account.upgradeToAndCall(stranger, "");
        vm.expectRevert(abi.encodeWithSelector(UUPSUpgradeable.UUPSUnsupportedProxiableUUID.selector, uint256(1)));
        account.upgradeToAndCall(misplaced, "");
        vm.stopPrank();
    }

    function test_reverts_when_an_implementation_itself_is_upgraded() public {
        address next = address(new NextAccount());
        AgentAccount implementation = factory.walletImplementation();
        vm.prank(address(entryPoint));
        vm.expectRevert(UUPSUpgradeable.UUPSUnauthorizedCallContext.selector);
        implementation.upgradeToAndCall(next, "");
    }
}
