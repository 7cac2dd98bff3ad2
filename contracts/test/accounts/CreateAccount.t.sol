// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AgentAccount} from "../../src/accounts/AgentAccount.sol";
import {AgentPasskeyAccount} from "../../src/accounts/AgentPasskeyAccount.sol";
import {AccountFixture} from "../support/AccountFixture.sol";

contract CreateAccountTest is AccountFixture {
    function test_an_account_is_where_it_was_said_to_be_and_has_its_owner() public {
        address expected = factory.accountOf(stranger, 7);
        vm.assertEq(expected.code.length, 0);

        vm.assertEq(factory.createAccount(stranger, 7), expected);

        vm.assertEq(AgentAccount(payable(expected)).signer(), stranger);
        vm.assertEq(address(AgentAccount(payable(expected)).entryPoint()), address(entryPoint));
        vm.assertEq(AgentAccount(payable(expected)).getNonce(), 0);
    }

    function test_a_passkey_account_is_where_it_was_said_to_be_and_has_its_key() public {
        address expected = factory.passkeyAccountOf(x, y, 7);
        vm.assertEq(expected.code.length, 0);

        vm.assertEq(factory.createPasskeyAccount(x, y, 7), expected);

        (bytes32 qx, bytes32 qy) = AgentPasskeyAccount(payable(expected)).signer();
        vm.assertEq(qx, x);
        vm.assertEq(qy, y);
    }

    function test_making_it_again_gives_the_one_that_is_there() public {
        vm.assertEq(factory.createAccount(owner, 0), address(account));
        vm.assertEq(factory.createPasskeyAccount(x, y, 0), address(passkeyAccount));
    }

    function testFuzz_owner_and_salt_give_the_address(address owner_, uint256 salt) public {
        vm.assume(owner_ != address(0));
        vm.assertEq(factory.createAccount(owner_, salt), factory.accountOf(owner_, salt));
        vm.assertTrue(factory.accountOf(owner_, salt) != factory.accountOf(owner_, salt ^ 1));
    }

    function test_the_first_operation_makes_the_account() public {
        AgentAccount later = AgentAccount(payable(factory.accountOf(owner, 1)));
        vm.deal(address(later), 1 ether);
        PackedUserOperation memory op = operation(later, taking(3));
        op.initCode = abi.encodePacked(address(factory), abi.encodeCall(factory.createAccount, (owner, 1)));

        handle(signedBy(OWNER_KEY, op));

        vm.assertEq(target.received(), 3);
        vm.assertEq(target.caller(), address(later));
    }

    function test_reverts_when_nobody_is_the_owner() public {
        vm.expectRevert(AgentAccount.NoOwner.selector);
        factory.createAccount(address(0), 0);
    }

    function test_reverts_when_the_key_is_no_point_of_the_curve() public {
        vm.expectRevert(abi.encodeWithSelector(AgentPasskeyAccount.InvalidPublicKey.selector, x, x));
        factory.createPasskeyAccount(x, x, 0);
    }

    function test_reverts_when_it_is_initialised_again() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        account.initialize(stranger);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        passkeyAccount.initialize(y, x);
    }

    function test_reverts_when_an_implementation_is_initialised() public {
        AgentAccount walletImplementation = factory.walletImplementation();
        AgentPasskeyAccount passkeyImplementation = factory.passkeyImplementation();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        walletImplementation.initialize(stranger);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        passkeyImplementation.initialize(x, y);
    }

    function test_reverts_when_nobody_calls_an_implementation() public {
        AgentAccount implementation = factory.walletImplementation();
        vm.prank(stranger);
        vm.expectRevert();
        implementation.execute(address(target), 0, "");
        vm.assertEq(implementation.signer(), address(0));
        vm.assertTrue(AccountCore(payable(address(implementation))).supportsInterface(0x01ffc9a7));
    }
}
