// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {AgentNexusEscrow} from "../../src/AgentNexusEscrow.sol";
import {Quote} from "../../src/Quotes.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

contract HashQuoteTest is EscrowFixture {
    function test_the_hash_is_the_eip712_digest() public {
        Quote memory quote = etherQuote();
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("AgentNexusEscrow"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
        bytes32 structHash = keccak256(
            bytes.concat(
                keccak256(
                    "Quote(uint256 agentId,address creator,address buyer,address recipient,address token,uint256 amount,uint64 accessDuration,uint64 validUntil,bytes32 salt)"
                ),
                abi.encode(quote.agentId, quote.creator, quote.buyer, quote.recipient, quote.token),
                abi.encode(quote.amount, quote.accessDuration, quote.validUntil, quote.salt)
            )
        );

        vm.assertEq(escrow.hashQuote(quote), keccak256(abi.encodePacked("\x19\x01", separator, structHash)));
    }

    function test_the_hash_binds_the_chain_and_the_contract() public {
        Quote memory quote = etherQuote();
        bytes32 here = escrow.hashQuote(quote);
        AgentNexusEscrow other =
            new AgentNexusEscrow(owner, address(entitlements), signer, arbiter, feeRecipient, 0, 1, 1);
        vm.assertTrue(other.hashQuote(quote) != here);
        vm.chainId(8453);
        vm.assertTrue(escrow.hashQuote(quote) != here);
    }

    function test_an_unknown_payment_is_empty() public view {
        AgentNexusEscrow.Payment memory payment = escrow.payments(bytes32("nothing"));
        vm.assertEq(uint256(payment.status), uint256(AgentNexusEscrow.Status.None));
        vm.assertEq(payment.amount, 0);
        vm.assertEq(payment.releaseAfter, 0);
        vm.assertEq(payment.expiresAt, 0);
        vm.assertEq(payment.recipient, address(0));
    }
}
