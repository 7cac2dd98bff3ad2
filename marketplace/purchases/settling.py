"""What the buyer and the creator may do with money in escrow, and the transactions that do it.

The contract decides in the end. The table here says what it would allow, so that nobody is offered what would fail.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils import timezone

from chain.bindings.escrow import Escrow
from chain.calls import Call
from chain.networks import get_network
from marketplace.errors import InvalidTransitionError, NotYoursError
from marketplace.payouts.due import owed_refunds
from marketplace.purchases.models import Purchase
from marketplace.purchases.parties import Party
from marketplace.purchases.states import Status

PAID = (Status.DEPOSITED, Status.ACTIVE)
HELD = (*PAID, Status.DISPUTED)


class Action(StrEnum):
    """What a party may do. `answer` is a text; all others are transactions."""

    RELEASE = "release"
    DISPUTE = "dispute"
    REFUND = "refund"
    ANSWER = "answer"
    WITHDRAW = "withdraw"


# Whose action it is, and in which states of the purchase; the dispute window and an owed refund come on top.
RULES: dict[Action, tuple[frozenset[Party], frozenset[Status]]] = {
    Action.RELEASE: (frozenset({Party.BUYER}), frozenset(HELD)),
    Action.DISPUTE: (frozenset({Party.BUYER}), frozenset(PAID)),
    Action.REFUND: (frozenset({Party.CREATOR}), frozenset(HELD)),
    Action.ANSWER: (frozenset({Party.BUYER, Party.CREATOR}), frozenset({Status.DISPUTED})),
    Action.WITHDRAW: (frozenset({Party.BUYER}), frozenset({Status.RELEASED, Status.REFUNDED})),
}


@dataclass(frozen=True, slots=True)
class SignableCall:
    """A transaction, and the only address whose signature the escrow takes for it (anybody's for a payout)."""

    kind: Action
    signer: str
    call: Call

    def as_json(self) -> dict[str, Any]:
        """`{kind, chainId, to, data, value}`."""
        return {"kind": self.kind.value, **self.call.as_json()}


def allowed(purchase: Purchase, party: Party | None, now: datetime | None = None) -> list[Action]:
    """What `party` may do now."""
    return [action for action in Action if not refusal(purchase, party, action, now)]


def refusal(purchase: Purchase, party: Party | None, action: Action, now: datetime | None = None) -> str:
    """Why `party` may not do this now, as a sentence; "" when they may."""
    parties, statuses = RULES[action]
    if party not in parties:
        return f"Only the {' or the '.join(sorted(parties))} can do this."
    if purchase.status not in statuses:
        return _STATUS_SENTENCES.get(Status(purchase.status), "Nothing was paid yet, so there is nothing to settle.")
    if action == Action.DISPUTE and purchase.release_after and (now or timezone.now()) >= purchase.release_after:
        return "The time to object is over for this purchase."
    if action == Action.WITHDRAW and not owed_refunds().filter(purchase=purchase).exists():
        return "There is no refund of this purchase waiting in the escrow."
    return ""


def require(purchase: Purchase, party: Party | None, action: Action) -> None:
    """Raises NotYoursError or InvalidTransitionError when `party` may not do this now."""
    sentence = refusal(purchase, party, action)
    if sentence:
        raise NotYoursError(sentence) if party not in RULES[action][0] else InvalidTransitionError(sentence)


def call_for(purchase: Purchase, party: Party | None, action: Action, reason_hash: str = "") -> SignableCall:
    """The transaction of `action`; `reason_hash` is that of a dispute's reason.

    Raises NotYoursError, InvalidTransitionError; NotDeployedError of the chain.
    """
    require(purchase, party, action)
    escrow = Escrow.for_network(get_network(purchase.network))
    payer = purchase.payer or purchase.recipient
    match action:
        case Action.RELEASE:
            return SignableCall(action, payer, escrow.encode_release(purchase.payment_id))
        case Action.DISPUTE:
            return SignableCall(action, payer, escrow.encode_open_dispute(purchase.payment_id, reason_hash))
        case Action.REFUND:
            return SignableCall(action, purchase.creator_address, escrow.encode_refund(purchase.payment_id))
        case Action.WITHDRAW:
            return SignableCall(action, payer, escrow.encode_withdraw(purchase.token, payer))
        case Action.ANSWER:
            raise ValueError("an answer is a text, not a transaction")


_STATUS_SENTENCES = {
    Status.DEPOSITED: "The payment is in escrow and nobody disputes it.",
    Status.ACTIVE: "The payment is in escrow and nobody disputes it.",
    Status.DISPUTED: "There is a dispute about this payment already.",
    Status.RELEASED: "This payment was released to the creator already.",
    Status.REFUNDED: "This payment was refunded already.",
}
