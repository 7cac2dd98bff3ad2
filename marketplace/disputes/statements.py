"""The texts of a dispute. Only the buyer, the creator and staff read them; the chain carries a hash of the reason."""

from django.db import transaction
from web3 import Web3

from marketplace.catalogue.text import TextRule, clean_text
from marketplace.disputes.models import Statement
from marketplace.errors import InvalidStatementError
from marketplace.purchases.models import Purchase
from marketplace.purchases.notices import announce
from marketplace.purchases.parties import Party
from marketplace.purchases.settling import Action, SignableCall, call_for, require
from wallets.models import User

RULE = TextRule(minimum=20, maximum=4_000, multiline=True)
MOST_STATEMENTS = 20


def text_hash(text: str) -> str:
    """keccak-256 of the text in UTF-8, as the chain carries it: 0x and 64 hexadecimal digits."""
    return "0x" + bytes(Web3.keccak(text=text)).hex()


def open_dispute(purchase: Purchase, by: User, party: Party | None, reason: str) -> tuple[Statement, SignableCall]:
    """Keep the buyer's reason, and give the transaction that opens the dispute with its hash.

    The reason is kept before anything can be signed, so that it cannot be lost. Until the transaction is mined the
    buyer may give another one; the one whose hash is on the chain counts. Raises InvalidStatementError, NotYoursError,
    InvalidTransitionError; NotDeployedError of the chain.
    """
    require(purchase, party, Action.DISPUTE)
    text = cleaned("reason", reason)
    call = call_for(purchase, party, Action.DISPUTE, text_hash(text))
    return _keep(purchase, by, Statement.Side.BUYER, text, is_reason=True), call


def answer(purchase: Purchase, by: User, party: Party | None, text: str) -> Statement:
    """Keep what a party of an open dispute has to say. Raises InvalidStatementError, NotYoursError,
    InvalidTransitionError."""
    require(purchase, party, Action.ANSWER)
    return _keep(purchase, by, Statement.Side(str(party)), cleaned("text", text), is_reason=False)


def cleaned(field: str, text: object) -> str:
    """The text as it is kept and hashed. Raises InvalidStatementError."""
    try:
        return clean_text(text, RULE)
    except ValueError as exc:
        raise InvalidStatementError(str(exc), fields={field: str(exc)}) from None


def _keep(purchase: Purchase, by: User, side: Statement.Side, text: str, *, is_reason: bool) -> Statement:
    with transaction.atomic():
        # The lock makes the limit hold also for requests at the same time.
        Purchase.objects.select_for_update(of=("self",)).get(pk=purchase.pk)
        mine = Statement.objects.filter(purchase=purchase, side=side)
        known = mine.filter(hash=text_hash(text)).first()
        if known is not None:
            return known
        if mine.count() >= MOST_STATEMENTS:
            sentence = f"You have given {MOST_STATEMENTS} statements; staff will decide by these."
            raise InvalidStatementError(sentence, fields={"reason" if is_reason else "text": sentence})
        kept = Statement.objects.create(
            purchase=purchase, author=by, side=side, is_reason=is_reason, text=text, hash=text_hash(text)
        )
        announce(purchase.pk)
    return kept
