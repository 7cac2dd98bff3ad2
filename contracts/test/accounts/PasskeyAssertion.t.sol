// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";

import {AccountFixture} from "../support/AccountFixture.sol";

/// @dev Stands where the P-256 precompile is and says yes to everything.
contract SaysYes {
    fallback() external {
        assembly {
            mstore(0, 1)
            return(0, 32)
        }
    }
}

/// @dev What a passkey account takes for its owner's assertion (WebAuthn level 2, section 7.2).
contract PasskeyAssertionTest is AccountFixture {
    bytes32 internal constant HASH = keccak256("a user operation");

    function takes(bytes memory signature) internal returns (bool) {
        PackedUserOperation memory op;
        op.signature = signature;
        vm.prank(address(entryPoint));
        uint256 answer = passkeyAccount.validateUserOp(op, HASH, 0);
        vm.assertTrue(answer < 2);
        return answer == 0;
    }

    function takes(WebAuthn.WebAuthnAuth memory auth) internal returns (bool) {
        return takes(encoded(auth));
    }

    function good() internal pure returns (WebAuthn.WebAuthnAuth memory) {
        return assertionOf(PASSKEY, HASH, 0x05);
    }

    function withData(bytes memory authenticatorData) internal pure returns (WebAuthn.WebAuthnAuth memory auth) {
        auth = good();
        auth.authenticatorData = authenticatorData;
        seal(PASSKEY, auth);
    }

    function withClientData(string memory json, uint256 challengeIndex, uint256 typeIndex)
        internal
        pure
        returns (WebAuthn.WebAuthnAuth memory auth)
    {
        auth = good();
        (auth.clientDataJSON, auth.challengeIndex, auth.typeIndex) = (json, challengeIndex, typeIndex);
        seal(PASSKEY, auth);
    }

    function challenge(bytes32 hash) internal pure returns (string memory) {
        return string.concat('"challenge":"', Base64.encodeURL(abi.encodePacked(hash)), '"');
    }

    // ---------------------------------------------------------------- what counts

    function test_takes_what_a_browser_makes() public {
        vm.assertTrue(takes(good()));
    }

    /// forge-config: default.evm_version = "osaka"
    function test_takes_it_by_the_precompile() public {
        vm.assertTrue(takes(good()));
        vm.assertFalse(takes(assertionOf(0x0DD, HASH, 0x05)));
    }

    function test_takes_the_flags_of_a_passkey_that_is_kept_elsewhere() public {
        vm.assertTrue(takes(assertionOf(PASSKEY, HASH, 0x0D)));
        vm.assertTrue(takes(assertionOf(PASSKEY, HASH, 0x1D)));
    }

    function test_takes_a_counter_and_extensions() public {
        vm.assertTrue(takes(withData(abi.encodePacked(sha256("localhost"), bytes1(0x85), uint32(77), hex"a0"))));
    }

    function test_takes_the_members_in_any_order() public {
        string memory json = string.concat('{"origin":"https://a.example",', challenge(HASH), ',"type":"webauthn.get"}');
        vm.assertTrue(takes(withClientData(json, 30, 88)));
    }

    /// @dev The authenticator signs only for the site the passkey was made on, so the chain need not know its name.
    function test_takes_any_site() public {
        string memory json = string.concat('{"type":"webauthn.get",', challenge(HASH), ',"origin":"https://b.example"}');
        vm.assertTrue(takes(withClientData(json, 23, 1)));
        vm.assertTrue(takes(withData(abi.encodePacked(sha256("b.example"), bytes1(0x05), uint32(0)))));
    }

    // ---------------------------------------------------------------- what the authenticator says

    function test_refuses_when_nobody_was_there_or_verified() public {
        vm.assertFalse(takes(assertionOf(PASSKEY, HASH, 0x00)));
        vm.assertFalse(takes(assertionOf(PASSKEY, HASH, 0x01)));
        vm.assertFalse(takes(assertionOf(PASSKEY, HASH, 0x04)));
    }

    function test_refuses_a_copy_of_a_passkey_that_cannot_be_copied() public {
        vm.assertFalse(takes(assertionOf(PASSKEY, HASH, 0x15)));
    }

    function test_refuses_authenticator_data_that_is_cut_short() public {
        vm.assertFalse(takes(withData(abi.encodePacked(sha256("localhost"), bytes1(0x05), uint24(0)))));
        vm.assertFalse(takes(withData("")));
    }

    // ---------------------------------------------------------------- what the browser says

    function test_refuses_the_making_of_a_passkey() public {
        string memory json = string.concat('{"type":"webauthn.create",', challenge(HASH), "}");
        vm.assertFalse(takes(withClientData(json, 26, 1)));
    }

    function test_refuses_another_challenge() public {
        vm.assertFalse(takes(assertionOf(PASSKEY, keccak256("another operation"), 0x05)));
        vm.assertFalse(takes(withClientData('{"type":"webauthn.get","challenge":""}', 23, 1)));
        vm.assertFalse(takes(withClientData('{"type":"webauthn.get"}', 23, 1)));
    }

    function test_refuses_a_challenge_that_only_begins_alike() public {
        string memory text = Base64.encodeURL(abi.encodePacked(HASH));
        string memory json = string.concat('{"type":"webauthn.get","challenge":"', text, 'AA"}');
        vm.assertFalse(takes(withClientData(json, 23, 1)));
    }

    function test_refuses_places_where_nothing_of_the_kind_is() public {
        uint256[6] memory places = [uint256(0), 2, 24, 10_000, 1 << 100, type(uint256).max];
        for (uint256 i = 0; i < places.length; ++i) {
            WebAuthn.WebAuthnAuth memory auth = good();
            auth.typeIndex = places[i];
            vm.assertFalse(takes(auth));
            auth = good();
            auth.challengeIndex = places[i];
            vm.assertFalse(takes(auth));
        }
    }

    // ---------------------------------------------------------------- the signature

    function test_refuses_another_key() public {
        vm.assertFalse(takes(assertionOf(0x0DD, HASH, 0x05)));
    }

    function test_refuses_the_second_spelling_of_a_signature() public {
        WebAuthn.WebAuthnAuth memory auth = good();
        auth.s = bytes32(P256.N - uint256(auth.s));
        vm.assertFalse(takes(auth));
    }

    /// forge-config: default.evm_version = "osaka"
    function test_refuses_the_second_spelling_by_the_precompile() public {
        WebAuthn.WebAuthnAuth memory auth = good();
        auth.s = bytes32(P256.N - uint256(auth.s));
        vm.assertFalse(takes(auth));
    }

    function test_refuses_numbers_that_are_no_signature() public {
        bytes32[4] memory bad = [bytes32(0), bytes32(P256.N), bytes32(P256.P), bytes32(type(uint256).max)];
        for (uint256 i = 0; i < bad.length; ++i) {
            WebAuthn.WebAuthnAuth memory auth = good();
            auth.r = bad[i];
            vm.assertFalse(takes(auth));
            auth = good();
            auth.s = bad[i];
            vm.assertFalse(takes(auth));
            auth.r = bad[i];
            vm.assertFalse(takes(auth));
        }
    }

    /// @dev A precompile that answers anything does not make anything well-formed.
    function test_asks_the_precompile_only_about_what_is_well_formed() public {
        vm.etch(address(0x100), address(new SaysYes()).code);
        WebAuthn.WebAuthnAuth memory auth = assertionOf(0x0DD, HASH, 0x05);
        vm.assertTrue(takes(auth));
        auth.s = bytes32(P256.N - uint256(auth.s));
        vm.assertFalse(takes(auth));
        auth.s = 0;
        vm.assertFalse(takes(auth));
        vm.assertFalse(takes(assertionOf(0x0DD, HASH, 0x01)));
        vm.assertFalse(takes(assertionOf(0x0DD, keccak256("another operation"), 0x05)));
    }

    function test_refuses_the_bare_signature_of_the_hash() public {
        WebAuthn.WebAuthnAuth memory auth = good();
        (auth.r, auth.s) = vm.signP256(PASSKEY, HASH);
        if (uint256(auth.s) > P256.N / 2) auth.s = bytes32(P256.N - uint256(auth.s));
        vm.assertFalse(takes(auth));
    }

    // ---------------------------------------------------------------- the encoding

    function test_refuses_an_encoding_that_is_cut_short() public {
        bytes memory whole = encoded(good());
        uint256[5] memory lengths = [uint256(0), 1, 0xbf, 0xc0, whole.length - 33];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory part = new bytes(lengths[i]);
            for (uint256 j = 0; j < part.length; ++j) {
                part[j] = whole[j];
            }
            vm.assertFalse(takes(part));
        }
    }

    function test_refuses_offsets_that_lead_out() public {
        for (uint256 word = 4; word < 6; ++word) {
            bytes memory signature = encoded(good());
            assembly {
                mstore(add(add(signature, 32), mul(word, 32)), not(0))
            }
            vm.assertFalse(takes(signature));
        }
    }

    // ---------------------------------------------------------------- anything at all

    function testFuzz_refuses_nonsense(bytes calldata nonsense) public {
        vm.assertFalse(takes(nonsense));
    }

    function testFuzz_refuses_nonsense_of_the_right_form(WebAuthn.WebAuthnAuth calldata nonsense) public {
        vm.assertFalse(takes(nonsense));
    }

    /// @dev One changed bit of what was signed, or of the signature, and it is nobody's.
    /// forge-config: default.fuzz.runs = 32
    /// forge-config: deep.fuzz.runs = 1000
    function testFuzz_refuses_any_changed_bit(uint256 part, uint256 bit) public {
        WebAuthn.WebAuthnAuth memory auth = good();
        part = bound(part, 0, 3);
        if (part == 0) auth.r = bytes32(uint256(auth.r) ^ 1 << (bit % 256));
        else if (part == 1) auth.s = bytes32(uint256(auth.s) ^ 1 << (bit % 256));
        else flip(part == 2 ? auth.authenticatorData : bytes(auth.clientDataJSON), bit);
        vm.assertFalse(takes(auth));
    }

    function flip(bytes memory data, uint256 bit) private pure {
        bit %= data.length * 8;
        data[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
    }

    /// forge-config: default.fuzz.runs = 32
    /// forge-config: deep.fuzz.runs = 1000
    function testFuzz_takes_the_key_it_was_made_for_and_no_other(uint256 key, uint256 otherKey, bytes32 hash) public {
        key = bound(key, 1, P256.N - 1);
        otherKey = bound(otherKey, 1, P256.N - 1);
        (uint256 qx, uint256 qy) = vm.publicKeyP256(key);
        (uint256 ox,) = vm.publicKeyP256(otherKey);
        vm.assume(qx != ox);
        passkeyAccount = asPasskeyAccount(factory.createPasskeyAccount(bytes32(qx), bytes32(qy), 0));
        PackedUserOperation memory op;
        op.signature = assertion(key, hash, 0x05);
        vm.prank(address(entryPoint));
        vm.assertEq(passkeyAccount.validateUserOp(op, hash, 0), 0);
        op.signature = assertion(otherKey, hash, 0x05);
        vm.prank(address(entryPoint));
        vm.assertEq(passkeyAccount.validateUserOp(op, hash, 0), 1);
    }
}
