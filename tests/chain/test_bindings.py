"""Bindings held against the deployed contracts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain.bindings.entitlements import LIFETIME, Entitlements
from chain.bindings.erc20 import Erc20
from chain.bindings.escrow import Escrow, PaymentStatus, Quote
from chain.calls import Call
from chain.errors import IncompleteAnswerError, NotDeployedError
from chain.keys import get_signer
from chain.networks import default_network
from chain.tokens import NATIVE
from tests.chain.quotes import CREATOR, QuoteMaker
from tests.chain_fixtures import Contracts

addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
quotes = st.builds(
    Quote,
    agent_id=st.integers(0, 2**256 - 1),
    creator=addresses,
    buyer=addresses,
    recipient=addresses,
    token=addresses,
    amount=st.integers(0, 2**256 - 1),
    access_duration=st.integers(0, 2**64 - 1),
    valid_until=st.integers(0, 2**64 - 1),
    salt=st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex()),
)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quote=quotes)
def test_the_local_digest_is_the_contracts(contracts: Contracts, quote: Quote) -> None:
    on_chain = contracts.escrow.contract.read("hashQuote", quote.members())
    assert contracts.escrow.hash_quote(quote) == "0x" + on_chain.hex()


@pytest.mark.django_db
def test_a_wallet_library_signs_the_same_digest(contracts: Contracts, make_quote: QuoteMaker) -> None:
    quote = make_quote()
    escrow = contracts.escrow
    typed = encode_typed_data(
        domain_data={
            "name": "AgentNexusEscrow",
            "version": "1",
            "chainId": contracts.network.chain_id,
            "verifyingContract": escrow.address,
        },
        message_types={
            "Quote": [
                {"name": "agentId", "type": "uint256"},
                {"name": "creator", "type": "address"},
                {"name": "buyer", "type": "address"},
                {"name": "recipient", "type": "address"},
                {"name": "token", "type": "address"},
                {"name": "amount", "type": "uint256"},
                {"name": "accessDuration", "type": "uint64"},
                {"name": "validUntil", "type": "uint64"},
                {"name": "salt", "type": "bytes32"},
            ]
        },
        message_data={key: int(value) if str(value).isdigit() else value for key, value in quote.as_json().items()},
    )
    signer = get_signer("QUOTE_SIGNER_KEY", contracts.network).address
    assert Account.recover_message(typed, signature=escrow.sign_quote(quote)) == signer


@pytest.mark.django_db
def test_a_payment_in_ether_from_deposit_to_withdrawal(
    contracts: Contracts,
    make_quote: QuoteMaker,
    funded_wallet: Callable[..., LocalAccount],
    send: Callable[[Call, LocalAccount], dict[str, Any]],
) -> None:
    escrow, buyer, creator = contracts.escrow, funded_wallet(usdc=0), funded_wallet(usdc=0)
    quote = make_quote(amount=10**15, creator=creator.address)
    payment_id = escrow.hash_quote(quote)
    assert escrow.payment(payment_id).status == PaymentStatus.NONE

    receipt = send(escrow.encode_deposit(quote, escrow.sign_quote(quote)), buyer)

    payment = escrow.payment(payment_id)
    assert (payment.status, payment.payer, payment.amount) == (PaymentStatus.HELD, buyer.address, 10**15)
    assert (payment.recipient, payment.agent_id, payment.fee_bps) == (buyer.address, 7, 250)
    assert payment.expires_at > payment.release_after > payment.deposited_at
    assert contracts.entitlements.has_valid_token(buyer.address, 7)
    assert contracts.entitlements.expires_at(buyer.address, 7) == payment.deposited_at + quote.access_duration
    assert int(receipt["gasUsed"], 16) < 250_000

    send(escrow.encode_release(payment_id), buyer)
    assert escrow.payment(payment_id).status == PaymentStatus.RELEASED
    assert escrow.withdrawable(NATIVE, creator.address) == 975 * 10**12
    send(escrow.encode_withdraw(NATIVE, creator.address), buyer)
    assert escrow.withdrawable(NATIVE, creator.address) == 0
    assert contracts.web3.eth.get_balance(creator.address) == 10**19 + 975 * 10**12


@pytest.mark.django_db
def test_a_payment_in_usdc_needs_an_allowance(
    contracts: Contracts,
    make_quote: QuoteMaker,
    funded_wallet: Callable[..., LocalAccount],
    send: Callable[[Call, LocalAccount], dict[str, Any]],
    call_reverts: Callable[[Call, LocalAccount], str],
) -> None:
    escrow, buyer = contracts.escrow, funded_wallet(usdc=7_000_000)
    usdc = Erc20(contracts.network, contracts.usdc)
    quote = make_quote(token=contracts.usdc.address, amount=5_000_000, access_duration=0)
    deposit = escrow.encode_deposit(quote, escrow.sign_quote(quote))
    assert deposit.value == 0
    assert "ERC20InsufficientAllowance" in call_reverts(deposit, buyer)

    send(usdc.encode_approve(escrow.address, 5_000_000), buyer)
    assert usdc.allowance(buyer.address, escrow.address) == 5_000_000
    send(deposit, buyer)

    assert usdc.balance_of(buyer.address) == 2_000_000
    assert usdc.balance_of(escrow.address) == 5_000_000
    assert contracts.entitlements.expires_at(buyer.address, 7) == LIFETIME
    assert call_reverts(deposit, buyer).startswith("PaymentExists(")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"amount": 2 * 10**15}, "NotSignedByQuoteSigner"),
        ({"creator": "0x" + "99" * 20}, "NotSignedByQuoteSigner"),
        ({"access_duration": 0}, "NotSignedByQuoteSigner"),
    ],
)
def test_a_changed_term_makes_the_signature_worthless(
    contracts: Contracts,
    make_quote: QuoteMaker,
    funded_wallet: Callable[..., LocalAccount],
    call_reverts: Callable[[Call, LocalAccount], str],
    change: dict[str, Any],
    error: str,
) -> None:
    quote = make_quote()
    signature = contracts.escrow.sign_quote(quote)
    forged = contracts.escrow.encode_deposit(replace(quote, **change), signature)
    assert call_reverts(forged, funded_wallet(usdc=0)).startswith(error)


@pytest.mark.django_db
def test_dispute_and_resolution(
    contracts: Contracts,
    make_quote: QuoteMaker,
    funded_wallet: Callable[..., LocalAccount],
    send: Callable[[Call, LocalAccount], dict[str, Any]],
    settings: Any,
) -> None:
    escrow, buyer = contracts.escrow, funded_wallet(usdc=0)
    quote = make_quote(amount=1000, creator=CREATOR)
    payment_id = escrow.hash_quote(quote)
    send(escrow.encode_deposit(quote, escrow.sign_quote(quote)), buyer)
    send(escrow.encode_open_dispute(payment_id, "0x" + "07" * 32), buyer)
    assert escrow.payment(payment_id).status == PaymentStatus.DISPUTED
    arbiter = Account.from_key(settings.KEYS["ARBITER_KEY"])
    send(escrow.encode_resolve_dispute(payment_id, 4_000, "0x" + "08" * 32), arbiter)
    assert escrow.payment(payment_id).status == PaymentStatus.RESOLVED
    assert escrow.withdrawable(NATIVE, buyer.address) == 400
    assert escrow.withdrawable(NATIVE, CREATOR) == 585


@pytest.mark.django_db
def test_the_creator_refunds_and_the_access_goes(
    contracts: Contracts,
    make_quote: QuoteMaker,
    funded_wallet: Callable[..., LocalAccount],
    send: Callable[[Call, LocalAccount], dict[str, Any]],
) -> None:
    escrow, buyer, creator = contracts.escrow, funded_wallet(usdc=0), funded_wallet(usdc=0)
    quote = make_quote(creator=creator.address)
    send(escrow.encode_deposit(quote, escrow.sign_quote(quote)), buyer)
    send(escrow.encode_refund(escrow.hash_quote(quote)), creator)
    assert escrow.withdrawable(NATIVE, buyer.address) == quote.amount
    assert not contracts.entitlements.has_valid_token(buyer.address, 7)


@pytest.mark.django_db
def test_grants_by_the_platforms_key(
    contracts: Contracts, send: Callable[[Call, LocalAccount], dict[str, Any]], settings: Any
) -> None:
    granter = Account.from_key(settings.KEYS["GRANT_KEY"])
    entitlements, holder = contracts.entitlements, CREATOR
    send(entitlements.encode_mint(holder, 9, 0), granter)
    assert entitlements.expires_at(holder, 9) == LIFETIME
    send(entitlements.encode_set_expiry(holder, 9, 2**40), granter)
    assert entitlements.expires_at(holder, 9) == 2**40
    send(entitlements.encode_revoke(holder, 9), granter)
    assert entitlements.expires_at(holder, 9) == 0
    send(entitlements.encode_set_uri(9, "https://example.org/9"), granter)
    assert entitlements.contract.read("uri", 9) == "https://example.org/9"


@pytest.mark.django_db
def test_without_a_deployment_there_is_no_binding() -> None:
    with pytest.raises(NotDeployedError, match=r"manage\.py deploy_contracts local"):
        Escrow.for_network(default_network())
    with pytest.raises(NotDeployedError):
        Entitlements.for_network(default_network())


@pytest.mark.django_db
def test_reading_where_no_contract_is_says_so(contracts: Contracts) -> None:
    nowhere = replace(contracts.escrow.contract, address=CREATOR)
    with pytest.raises(IncompleteAnswerError, match=f"no contract at {CREATOR}"):
        nowhere.read("owner")


def test_a_call_in_the_form_of_wallets() -> None:
    call = Call(31337, CREATOR, b"\xab", 10**18)
    assert call.as_json() == {"chainId": 31337, "to": CREATOR, "data": "0xab", "value": "0xde0b6b3a7640000"}


@pytest.mark.parametrize("salt", ["0x", "0x12", "0x" + "11" * 33])
def test_a_salt_has_32_bytes(salt: str) -> None:
    with pytest.raises(ValueError, match="expected 32 bytes"):
        Quote(1, CREATOR, NATIVE, NATIVE, NATIVE, 1, 0, 1, salt).members()
