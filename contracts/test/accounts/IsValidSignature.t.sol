// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {AccountCore} from "../../src/accounts/AccountCore.sol";
import {AgentAccount} from "../../src/accounts/AgentAccount.sol";
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

    function test_what_the_owner_signed_for_itself_does_not_count_for_the_account() public view {
        vm.assertFalse(accepted(account, ecdsa(OWNER_KEY, HASH)));
    }

    function test_it_says_that_it_binds_signatures() public view {
        bytes32 asked = 0x7739773977397739773977397739773977397739773977397739773977397739;
        vm.assertEq(bytes32(account.isValidSignature(asked, "")), bytes32(bytes4(0x77390001)));
    }
}
