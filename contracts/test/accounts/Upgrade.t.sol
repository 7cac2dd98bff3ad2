// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AgentAccount} from "../../src/accounts/AgentAccount.sol";
import {AccountFixture} from "../support/AccountFixture.sol";

contract NextAccount is AgentAccount {
    function version() external pure returns (uint256) {
        return 2;
    }
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
}
