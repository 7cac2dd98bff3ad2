"""Paying with one signature: the buyer signs what the token moves, and one transaction pays. No approval beforehand."""

import re

from chain.bindings.authorization import Authorization, signing_domain
from chain.bindings.escrow import Escrow
from chain.calls import Call
from chain.errors import RpcError
from chain.networks import Network, get_network
from chain.outbox.reasons import error_name
from chain.rpc import pool_of
from chain.tokens import get_token
from marketplace.errors import InvalidAuthorizationError, QuoteOverError
from marketplace.purchases.deposits import Step, StepKind, require_payable
from marketplace.purchases.models import Purchase
from marketplace.purchases.quotes import quote_of, require_balance

# A signature of a key is 65 bytes; those of contract wallets are longer.
_SIGNATURE = re.compile(r"0x(?:[0-9a-fA-F]{2}){65,2048}", re.ASCII)


def authorization_of(purchase: Purchase, payer: str | None) -> Authorization | None:
    """What `payer` may sign instead of an approval; None where the token does not take signatures, or nobody is named.

    Raises QuoteOverError; NotDeployedError, RpcUnavailableError of the chain.
    """
    require_payable(purchase)
    if payer is None:
        return None
    network = get_network(purchase.network)
    domain = signing_domain(network, get_token(network, purchase.token))
    if domain is None:
        return None
    return Authorization(
        domain=domain,
        payer=payer,
        escrow=Escrow.for_network(network).address,
        amount=purchase.amount,
        valid_before=_valid_before(purchase),
        nonce=purchase.payment_id,
    )


def authorized_deposit(purchase: Purchase, payer: str, signature: str) -> Step:
    """The transaction that pays `purchase` by the payer's signature of `authorization_of`; anyone may send it.

    It is tried out first, so that a signature that pays nothing is refused here. Raises InvalidAuthorizationError,
    QuoteOverError, InsufficientBalanceError; NotDeployedError, RpcUnavailableError of the chain.
    """
    if not _SIGNATURE.fullmatch(signature):
        sentence = "A signature is 0x and at least 130 hexadecimal digits."
        raise InvalidAuthorizationError(sentence, fields={"signature": sentence})
    if authorization_of(purchase, payer) is None:
        raise InvalidAuthorizationError("This token takes no signatures. Use the approval and the deposit.")
    if purchase.bound_payer not in (None, payer):
        sentence = "This offer was made for another wallet. Ask for a new one."
        raise InvalidAuthorizationError(sentence, fields={"payer": sentence})
    network = get_network(purchase.network)
    require_balance(network, get_token(network, purchase.token), payer, purchase.amount)
    call = Escrow.for_network(network).encode_deposit_with_authorization(
        quote_of(purchase), purchase.signature, payer, _valid_before(purchase), signature
    )
    _rehearse(network, payer, call)
    return Step(StepKind.DEPOSIT, call)


def _rehearse(network: Network, payer: str, call: Call) -> None:
    request = {"from": payer, "to": call.to, "data": "0x" + call.data.hex()}
    try:
        pool_of(network).call("eth_call", request, "latest")
    except RpcError as exc:
        reason = error_name(exc)
        if reason.startswith("QuoteExpired"):
            raise QuoteOverError("This quote has run out. Ask for a new one.") from exc
        if reason.startswith(("PaymentExists", "AuthorizationUsedBefore")):
            raise QuoteOverError("This purchase is paid already.") from exc
        if "ignature" in reason:
            sentence = "This is not the payer's signature of this payment. Sign again with the wallet that pays."
            raise InvalidAuthorizationError(sentence, fields={"signature": sentence}) from exc
        raise InvalidAuthorizationError(f"The payment would not go through: {reason[:200]}.") from exc


def _valid_before(purchase: Purchase) -> int:
    """The token takes the signature before this second; the quote can be paid up to and including the one before."""
    return int(purchase.valid_until.timestamp()) + 1
