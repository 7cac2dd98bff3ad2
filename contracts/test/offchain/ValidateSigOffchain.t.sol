// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {ValidateSigOffchain} from "../../src/offchain/ValidateSigOffchain.sol";
import {MisbehavingAccount, OwnedAccount, OwnedAccountFactory, UnpreparedAccount} from "../mocks/Accounts.sol";
import {TestBase} from "../support/TestBase.sol";

contract ValidateSigOffchainTest is TestBase {
    uint256 internal constant KEY = 0xB0B;
    bytes32 internal constant HASH = keccak256("message");
    bytes32 internal constant SALT = "salt";
    OwnedAccountFactory internal factory;

    function setUp() public {
        factory = new OwnedAccountFactory();
    }

    function signed(uint256 key) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, HASH);
        return abi.encodePacked(r, s, v);
    }

    /// @dev What the constructor leaves as code is what an eth_call gets.
    function accepted(address account, bytes memory signature, address helper, bytes memory data)
        internal
        returns (bool)
    {
        bytes memory answer = address(new ValidateSigOffchain(account, HASH, signature, helper, data)).code;
        vm.assertEq(answer.length, 1);
        return answer[0] == 0x01;
    }

    function accepted(address account, bytes memory signature) internal returns (bool) {
        return accepted(account, signature, address(0), "");
    }

    function creation() internal view returns (bytes memory) {
        return abi.encodeCall(factory.create, (vm.addr(KEY), SALT));
    }

    function counterfactual() internal view returns (address) {
        return factory.addressOf(vm.addr(KEY), SALT);
    }

    function test_a_deployed_account_accepts_its_owner_and_nobody_else() public {
        address account = address(new OwnedAccount(vm.addr(KEY)));
        vm.assertTrue(accepted(account, signed(KEY)));
        vm.assertFalse(accepted(account, signed(0xBAD)));
        vm.assertFalse(accepted(account, ""));
    }

    function test_an_account_that_is_not_there_yet_is_made_first() public {
        vm.assertTrue(accepted(counterfactual(), signed(KEY), address(factory), creation()));
    }

    function test_an_account_that_is_not_there_yet_refuses_another_signature() public {
        vm.assertFalse(accepted(counterfactual(), signed(0xBAD), address(factory), creation()));
    }

    function test_an_account_that_is_not_there_and_not_made_accepts_nothing() public {
        vm.assertFalse(accepted(counterfactual(), signed(KEY)));
    }

    function test_a_factory_that_makes_another_account_helps_nobody() public {
        bytes memory other = abi.encodeCall(factory.create, (vm.addr(0xBAD), SALT));
        vm.assertFalse(accepted(counterfactual(), signed(0xBAD), address(factory), other));
    }

    function test_a_factory_that_fails_makes_nothing() public {
        vm.assertFalse(accepted(counterfactual(), signed(KEY), address(factory), hex"deadbeef"));
    }

    function test_a_factory_that_is_not_there_makes_nothing() public {
        vm.assertFalse(accepted(counterfactual(), signed(KEY), address(0xdead), creation()));
    }

    function test_a_deployed_account_is_asked_before_the_factory_is_called() public {
        address account = address(factory.create(vm.addr(KEY), SALT));
        vm.assertTrue(accepted(account, signed(KEY), address(0xdead), ""));
        vm.assertFalse(accepted(account, signed(0xBAD), address(factory), creation()));
    }

    function test_an_account_that_is_not_ready_is_prepared() public {
        UnpreparedAccount account = new UnpreparedAccount();
        vm.assertFalse(accepted(address(account), ""));
        vm.assertTrue(accepted(address(account), "", address(account), abi.encodeCall(account.prepare, ())));
    }

    function test_a_plain_address_accepts_nothing() public {
        vm.assertFalse(accepted(vm.addr(KEY), signed(KEY)));
    }

    function test_an_account_that_misbehaves_accepts_nothing() public {
        for (uint256 i = 0; i <= uint256(type(MisbehavingAccount.Way).max); i++) {
            address account = address(new MisbehavingAccount(MisbehavingAccount.Way(i)));
            vm.assertFalse(this.acceptedWithin5MGas(account));
        }
    }

    function acceptedWithin5MGas(address account) external returns (bool) {
        bytes memory code = abi.encodePacked(
            type(ValidateSigOffchain).creationCode, abi.encode(account, HASH, signed(KEY), address(0), bytes(""))
        );
        return this.created{gas: 5_000_000}(code) == 0x01;
    }

    function created(bytes memory code) external returns (bytes1) {
        address made;
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        vm.assertTrue(made != address(0));
        return made.code[0];
    }

    function test_no_precompile_accepts_anything() public {
        for (uint160 i = 1; i <= 10; i++) {
            vm.assertFalse(this.acceptedWithin5MGas(address(i)));
        }
    }
}
