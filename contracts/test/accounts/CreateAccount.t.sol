// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AgentAccount} from "../../src/accounts/AgentAccount.sol";
import {AgentAccountFactory} from "../../src/accounts/AgentAccountFactory.sol";
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

    function testFuzz_key_and_salt_give_the_address(uint256 key, uint256 salt) public {
        (uint256 qx, uint256 qy) = vm.publicKeyP256(bound(key, 1, P256.N - 1));
        (bytes32 kx, bytes32 ky) = (bytes32(qx), bytes32(qy));
        vm.assertEq(factory.createPasskeyAccount(kx, ky, salt), factory.passkeyAccountOf(kx, ky, salt));
        vm.assertTrue(factory.passkeyAccountOf(kx, ky, salt) != factory.passkeyAccountOf(kx, ky, salt ^ 1));
    }

    /// @dev Who makes an account of somebody else pays for it and has no say in it.
    function test_anybody_may_make_it_and_what_was_sent_before_is_the_owners() public {
        AgentAccount later = asAccount(factory.accountOf(owner, 1));
        vm.deal(address(later), 2 ether);
        vm.prank(stranger);
        factory.createAccount(owner, 1);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, stranger));
        later.execute(stranger, 2 ether, "");
        vm.prank(owner);
        later.execute(beneficiary, 2 ether, "");
        vm.assertEq(beneficiary.balance, 2 ether);
    }

    function test_another_factory_makes_other_accounts() public {
        AgentAccountFactory other = new AgentAccountFactory();
        vm.assertTrue(other.accountOf(owner, 0) != factory.accountOf(owner, 0));
        vm.assertTrue(other.passkeyAccountOf(x, y, 0) != factory.passkeyAccountOf(x, y, 0));
    }

    /// @dev Made directly, as the factory makes them, so that their constructors are seen to close them.
    function test_implementations_are_closed_from_their_making() public {
        AgentAccount wallet = new AgentAccount();
        AgentPasskeyAccount passkey = new AgentPasskeyAccount();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        wallet.initialize(stranger);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        passkey.initialize(x, y);
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
        vm.expectRevert(abi.encodeWithSelector(AgentPasskeyAccount.InvalidPublicKey.selector, y, x));
        factory.createPasskeyAccount(y, x, 0);
    }

    function test_reverts_when_the_key_is_the_point_at_infinity() public {
        vm.expectRevert(abi.encodeWithSelector(AgentPasskeyAccount.InvalidPublicKey.selector, bytes32(0), bytes32(0)));
        factory.createPasskeyAccount(0, 0, 0);
    }

    /// @dev A point with x = 5 is on the curve; 5 plus the field's size would be the same one, spelt otherwise.
    function test_reverts_when_a_coordinate_is_spelt_with_more_than_the_field() public {
        bytes32 five = bytes32(uint256(5));
        bytes32 root = 0x459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc;
        factory.createPasskeyAccount(five, root, 0);
        bytes32 over = bytes32(P256.P + 5);
        vm.expectRevert(abi.encodeWithSelector(AgentPasskeyAccount.InvalidPublicKey.selector, over, root));
        factory.createPasskeyAccount(over, root, 0);
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
        vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, stranger));
        implementation.execute(address(target), 0, "");
        vm.assertEq(implementation.signer(), address(0));
        vm.assertTrue(AccountCore(payable(address(implementation))).supportsInterface(0x01ffc9a7));
    }
}
