// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AgentAccount} from "../../src/accounts/AgentAccount.sol";
import {AgentPasskeyAccount} from "../../src/accounts/AgentPasskeyAccount.sol";
import {AccountFixture} from "../support/AccountFixture.sol";

/// @dev ERC-7739's PersonalSign: the digest a person signs is bound to the account by its EIP-712 domain.
contract IsValidSignatureTest is AccountFixture {
    bytes32 internal constant HASH = keccak256("what an application asks about");

    function bound(AccountCore to, bytes32 hash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("AgentAccount"),
                keccak256("1"),
                block.chainid,
                address(to)
            )
        );
        bytes32 message = keccak256(abi.encode(keccak256("PersonalSign(bytes prefixed)"), hash));
        return keccak256(abi.encodePacked("\x19\x01", domain, message));
    }

    function accepted(AccountCore by, bytes memory signature) internal view returns (bool) {
        return by.isValidSignature(HASH, signature) == IERC1271.isValidSignature.selector;
    }

    function test_an_account_answers_for_its_owner() public view {
        vm.assertTrue(accepted(account, ecdsa(OWNER_KEY, bound(account, HASH))));
        vm.assertTrue(accepted(passkeyAccount, assertion(PASSKEY, bound(passkeyAccount, HASH), 0x05)));
    }

    function test_a_passkey_account_answers_for_its_backup_too() public {
        bytes memory signature = assertion(0xB0B, bound(passkeyAccount, HASH), 0x05);
        vm.assertFalse(accepted(passkeyAccount, signature));
        (uint256 backupX, uint256 backupY) = vm.publicKeyP256(0xB0B);
        vm.prank(address(passkeyAccount));
        passkeyAccount.setKeys(x, y, bytes32(backupX), bytes32(backupY));
        vm.assertTrue(accepted(passkeyAccount, signature));
    }

    function test_it_answers_for_nobody_else() public view {
        vm.assertFalse(accepted(account, ecdsa(STRANGER_KEY, bound(account, HASH))));
        vm.assertFalse(accepted(passkeyAccount, assertion(0x0DD, bound(passkeyAccount, HASH), 0x05)));
        vm.assertFalse(accepted(passkeyAccount, "nonsense"));
    }

    function test_a_signature_for_one_account_counts_for_no_other_of_the_same_owner() public {
        AgentAccount other = AgentAccount(payable(factory.createAccount(owner, 1)));
        vm.assertFalse(accepted(other, ecdsa(OWNER_KEY, bound(account, HASH))));
    }

    function test_a_signature_for_one_chain_counts_on_no_other() public {
        bytes memory signature = ecdsa(OWNER_KEY, bound(account, HASH));
        bytes memory byPasskey = assertion(PASSKEY, bound(passkeyAccount, HASH), 0x05);
        vm.chainId(block.chainid + 1);
        vm.assertFalse(accepted(account, signature));
        vm.assertFalse(accepted(passkeyAccount, byPasskey));
    }

    function test_an_assertion_counts_for_no_other_account_of_the_passkey() public {
        AgentPasskeyAccount other = asPasskeyAccount(factory.createPasskeyAccount(x, y, 1));
        vm.assertFalse(accepted(other, assertion(PASSKEY, bound(passkeyAccount, HASH), 0x05)));
    }

    function test_an_assertion_counts_only_of_a_person_who_was_verified() public view {
        vm.assertFalse(accepted(passkeyAccount, assertion(PASSKEY, bound(passkeyAccount, HASH), 0x01)));
    }

    function test_an_operations_signature_answers_for_nothing_else() public view {
        bytes32 personal = MessageHashUtils.toEthSignedMessageHash(HASH);
        vm.assertFalse(accepted(account, ecdsa(OWNER_KEY, personal)));
        vm.assertFalse(accepted(passkeyAccount, assertion(PASSKEY, HASH, 0x05)));
    }

    // ---------------------------------------------------------------- typed data

    bytes32 internal constant APP = keccak256("the domain of an application");
    bytes internal constant CONTENTS = "Mail(string text)";

    /// @dev ERC-7739's TypedDataSign: what the application asks about, with the account's domain inside it.
    function typed(uint256 key, AccountCore by, bytes32 contents) internal view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                "TypedDataSign(Mail contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)",
                CONTENTS
            )
        );
        bytes32 inside = keccak256(
            abi.encode(
                typeHash, contents, keccak256("AgentAccount"), keccak256("1"), block.chainid, address(by), bytes32(0)
            )
        );
        bytes memory signature = ecdsa(key, keccak256(abi.encodePacked("\x19\x01", APP, inside)));
        return abi.encodePacked(signature, APP, contents, CONTENTS, uint16(CONTENTS.length));
    }

    function answers(AccountCore by, bytes32 contents, bytes memory signature) internal view returns (bool) {
        bytes32 asked = keccak256(abi.encodePacked("\x19\x01", APP, contents));
        return by.isValidSignature(asked, signature) == IERC1271.isValidSignature.selector;
    }

    function testFuzz_typed_data_is_bound_to_the_account_too(bytes32 contents, bytes32 others) public {
        vm.assume(contents != others);
        AgentAccount other = asAccount(factory.createAccount(owner, 1));
        bytes memory signature = typed(OWNER_KEY, account, contents);
        vm.assertTrue(answers(account, contents, signature));
        vm.assertFalse(answers(other, contents, signature));
        vm.assertFalse(answers(account, others, signature));
        vm.assertFalse(answers(account, contents, typed(STRANGER_KEY, account, contents)));
        vm.chainId(block.chainid + 1);
        vm.assertFalse(answers(account, contents, signature));
    }

    function test_what_the_owner_signed_for_itself_does_not_count_for_the_account() public view {
        vm.assertFalse(accepted(account, ecdsa(OWNER_KEY, HASH)));
    }

    function test_it_says_that_it_binds_signatures() public view {
        bytes32 asked = 0x7739773977397739773977397739773977397739773977397739773977397739;
        vm.assertEq(bytes32(account.isValidSignature(asked, "")), bytes32(bytes4(0x77390001)));
    }
}
