"""Quotes: the signed offer of an agent's price to one buyer."""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from chain.bindings.erc20 import Erc20
from chain.bindings.escrow import Escrow, Quote
from chain.forms import parse_address
from chain.networks import Network, get_network
from chain.rpc import connect
from chain.tokens import NATIVE, Token, format_amount, get_token
from marketplace.catalogue.models import Agent
from marketplace.errors import (
    AlreadyOwnedError,
    IdempotencyConflictError,
    InsufficientBalanceError,
    InvalidPurchaseError,
    NotForSaleError,
    OwnAgentError,
)
from marketplace.purchases.access import has_access
from marketplace.purchases.models import LIFETIME, Entitlement, Purchase
from wallets.models import User
from wallets.smart_accounts import accounts

_KEY = re.compile(r"[\x21-\x7e]{1,100}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a buyer asks for. Addresses are checksummed; `payer` None is anyone."""

    token: Token
    recipient: str
    recipient_named: bool
    payer: str | None

    def is_for(self, purchase: Purchase, agent: Agent) -> bool:
        """Whether `purchase` is what this wish for `agent` would have become."""
        return (
            purchase.agent_id == agent.pk
            and purchase.token == self.token.address
            # The primary wallet may have changed since; the request is the same.
            and (not self.recipient_named or self.recipient == purchase.recipient)
            and self.payer == purchase.bound_payer
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """What the agent costs, in base units, and the creator's address that is paid."""

    amount: int
    paid_to: str


def quote(
    buyer: User,
    agent: Agent,
    token: str,
    recipient: str | None = None,
    idempotency_key: str | None = None,
    payer: str | None = None,
) -> Purchase:
    """A purchase with the agent's price of this moment, signed by the platform, payable for settings.QUOTE_SECONDS.

    `token` is a symbol or address; `recipient`, one of the buyer's wallets (the primary one when not given), receives
    the access; with `payer` only that address may pay, and its balance is looked at. The same `idempotency_key` gives
    the same purchase.

    Raises UnknownTokenError, InvalidPurchaseError (a field), IdempotencyConflictError, OwnAgentError, NotForSaleError,
    AlreadyOwnedError, InsufficientBalanceError; NotDeployedError, MissingKeyError, RpcUnavailableError of the chain.
    """
    network = get_network(agent.network)
    wish = _wish(buyer, network, token, recipient, payer)
    if idempotency_key is not None:
        earlier = _earlier(buyer, agent, wish, idempotency_key)
        if earlier is not None:
            return earlier
    agent = Agent.objects.with_listing().get(pk=agent.pk)
    offer = _offer(buyer, agent, wish.token)
    _require_no_lifetime(buyer, agent)
    escrow = Escrow.for_network(network)
    if wish.payer is not None:
        require_balance(network, wish.token, wish.payer, offer.amount)
    purchase = _signed(buyer, agent, wish, offer, escrow)
    purchase.idempotency_key = idempotency_key
    try:
        with transaction.atomic():
            purchase.save(force_insert=True)
    except IntegrityError:
        # The same request, sent twice at once, was faster: its purchase is the answer to both.
        earlier = _earlier(buyer, agent, wish, idempotency_key) if idempotency_key is not None else None
        if earlier is None:
            raise
        return earlier
    return purchase


def quote_of(purchase: Purchase) -> Quote:
    """The terms as the escrow takes them."""
    return Quote(
        agent_id=purchase.agent.onchain_id,
        creator=purchase.creator_address,
        buyer=purchase.bound_payer or NATIVE,
        recipient=purchase.recipient,
        token=purchase.token,
        amount=purchase.amount,
        access_duration=purchase.access_duration,
        valid_until=int(purchase.valid_until.timestamp()),
        salt=purchase.salt,
    )


def _wish(buyer: User, network: Network, token: str, recipient: str | None, payer: str | None) -> Wish:
    known = get_token(network, token)
    paying = None if payer is None else _address("payer", payer)
    chosen = _usual_recipient(buyer, network, paying) if recipient is None else _address("recipient", recipient)
    if chosen is None:
        raise InvalidPurchaseError(
            "Link a wallet first: access belongs to a wallet.", fields={"recipient": "You have no wallet."}
        )
    if chosen not in buyer.addresses():
        raise InvalidPurchaseError(
            "Access can be bought for your own wallets only. Link this wallet first.",
            fields={"recipient": "This is not one of your wallets."},
        )
    return Wish(known, chosen, recipient is not None, paying)


def _usual_recipient(buyer: User, network: Network, payer: str | None) -> str | None:
    """What a smart account pays for is its own; else the primary wallet's, or, of a person without a wallet, the first
    smart account's."""
    owned = [account.address for account in accounts.usable_by(buyer) if account.network == network.slug]
    if payer in owned:
        return payer
    return buyer.primary_address or next(iter(owned), None)


def _address(field: str, text: str) -> str:
    try:
        address = parse_address(text)
    except ValueError as exc:
        raise InvalidPurchaseError(str(exc), fields={field: str(exc)}) from None
    if address == NATIVE:
        raise InvalidPurchaseError("The zero address is nobody's.", fields={field: "The zero address is nobody's."})
    return address


def _earlier(buyer: User, agent: Agent, wish: Wish, key: str) -> Purchase | None:
    if not _KEY.fullmatch(key):
        raise InvalidPurchaseError(
            "An idempotency key is 1 to 100 visible ASCII characters without spaces.",
            fields={"idempotency_key": "Use 1 to 100 visible ASCII characters without spaces."},
        )
    found = Purchase.objects.select_related("agent").filter(buyer=buyer, idempotency_key=key).first()
    if found is not None and not wish.is_for(found, agent):
        raise IdempotencyConflictError("This idempotency key was used for another purchase. Use a new one.")
    return found


def _offer(buyer: User, agent: Agent, token: Token) -> Offer:
    if agent.creator_id == buyer.pk:
        raise OwnAgentError("This is your own agent: you can run it without buying.")
    if agent.status != Agent.Status.PUBLISHED or not agent.creator.may_act:
        raise NotForSaleError("This agent is not for sale.")
    if agent.live_version is None:
        raise NotForSaleError("This agent has no version that can run. Its creator must add one.")
    paid_to = agent.creator.primary_address
    if paid_to is None:
        raise NotForSaleError("This agent's creator has no wallet to be paid to.")
    prices = {price.token: price.amount for price in agent.prices.all()}
    if token.address not in prices:
        raise NotForSaleError(f"This agent is not sold in {token.symbol}.", fields={"token": "Choose another token."})
    return Offer(prices[token.address], paid_to)


def _require_no_lifetime(buyer: User, agent: Agent) -> None:
    if has_access(buyer, agent).is_lifetime:
        raise AlreadyOwnedError("You have access to this agent for ever already. Run it.")
    # A deposit that is not confirmed yet gives no access, but paying a second time would buy nothing.
    if Entitlement.objects.filter(
        network=agent.network,
        onchain_agent_id=agent.onchain_id,
        holder__in=buyer.addresses(),
        seen_expires_at=LIFETIME,
    ).exists():
        raise AlreadyOwnedError("You have paid for this agent; your access opens when the payment is confirmed.")


def require_balance(network: Network, token: Token, payer: str, amount: int) -> None:
    """Raises InsufficientBalanceError when `payer` holds less than `amount` base units; RpcUnavailableError."""
    available = balance_of(network, token, payer)
    if available < amount:
        raise InsufficientBalanceError(
            f"The wallet holds {format_amount(available, token)}, and the price is {format_amount(amount, token)}. "
            f"Add at least {format_amount(amount - available, token)}, or pay from another wallet.",
            needed=amount,
            available=available,
        )


def balance_of(network: Network, token: Token, account: str) -> int:
    """Base units that `account` holds. Raises RpcUnavailableError."""
    if token.is_native:
        return int(connect(network).eth.get_balance(account))  # type: ignore[arg-type]
    return Erc20(network, token).balance_of(account)


def _signed(buyer: User, agent: Agent, wish: Wish, offer: Offer, escrow: Escrow) -> Purchase:
    fee = escrow.fee_bps()
    until = timezone.now().replace(microsecond=0) + timedelta(seconds=settings.QUOTE_SECONDS)
    purchase = Purchase(
        buyer=buyer,
        agent=agent,
        network=agent.network,
        token=wish.token.address,
        amount=offer.amount,
        quoted_fee_bps=fee,
        fee_bps=fee,
        access_duration=agent.access_duration,
        creator_address=offer.paid_to,
        bound_payer=wish.payer,
        recipient=wish.recipient,
        salt="0x" + secrets.token_hex(32),
        valid_until=until,
    )
    terms = quote_of(purchase)
    purchase.payment_id = escrow.hash_quote(terms)
    purchase.signature = escrow.sign_quote(terms)
    return purchase
