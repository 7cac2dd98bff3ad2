"""The transactions a wallet signs to pay a quote."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils import timezone

from chain.bindings.erc20 import Erc20
from chain.bindings.escrow import Escrow
from chain.calls import Call
from chain.networks import get_network
from chain.tokens import get_token
from marketplace.errors import QuoteOverError
from marketplace.purchases.models import Purchase
from marketplace.purchases.quotes import quote_of
from marketplace.purchases.states import Status


class StepKind(StrEnum):
    APPROVE = "approve"
    DEPOSIT = "deposit"


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction; the steps are sent in order, each after the one before is mined."""

    kind: StepKind
    call: Call

    def as_json(self) -> dict[str, Any]:
        """`{kind, chainId, to, data, value}`."""
        return {"kind": self.kind.value, **self.call.as_json()}


def deposit_calls(purchase: Purchase, payer: str | None = None) -> list[Step]:
    """What `payer` signs to pay `purchase`: for an ERC-20 whose allowance is short an approval of exactly the amount,
    then the deposit. Without `payer` nobody's allowance is looked at, and the approval is always there.

    Raises QuoteOverError; NotDeployedError, RpcUnavailableError of the chain.
    """
    require_payable(purchase)
    network = get_network(purchase.network)
    escrow = Escrow.for_network(network)
    token = get_token(network, purchase.token)
    steps = []
    if not token.is_native:
        erc20 = Erc20(network, token)
        if payer is None or erc20.allowance(payer, escrow.address) < purchase.amount:
            steps.append(Step(StepKind.APPROVE, erc20.encode_approve(escrow.address, purchase.amount)))
    steps.append(Step(StepKind.DEPOSIT, escrow.encode_deposit(quote_of(purchase), purchase.signature)))
    return steps


def require_payable(purchase: Purchase) -> None:
    """Raises QuoteOverError with a sentence when nothing is left to pay."""
    if purchase.status not in (Status.QUOTED, Status.UNKNOWN, Status.LAPSED):
        raise QuoteOverError("This purchase is paid already.")
    if purchase.status == Status.UNKNOWN:
        raise QuoteOverError("This quote has run out, and we have not read the chain up to its end yet. Wait a little.")
    if purchase.status == Status.LAPSED or timezone.now() > purchase.valid_until:
        raise QuoteOverError("This quote has run out. Ask for a new one.")
