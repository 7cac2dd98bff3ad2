"""From which amount on the platform pays the gas of a payout by itself. Less waits for its owner's own click."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db.models import Sum

from chain.errors import InvalidAmountError
from chain.models import Event
from chain.tokens import NATIVE, Token, format_amount, parse_amount
from marketplace.payouts.models import Credit, Withdrawal

# The finest token that people pay in; amounts of the setting are read to so many decimals.
_FINEST = 18


def least_payout(token: Token) -> int:
    """Base units of `token`; 0, also for a token that the setting does not name: everything is paid out."""
    text = settings.LEAST_AUTOMATIC_PAYOUT.get(token.symbol, "0")
    return _read(text, token.symbol) // int(10 ** (_FINEST - token.decimals))


def too_small(network: str, token: Token, account: str) -> str:
    """Why the whole credit of `account` is not worth the gas of a payout, as a sentence; "" when it is."""
    least = least_payout(token)
    if _owed(network, token.address, account) >= least:
        return ""
    return (
        f"The platform pays the gas of payouts from {format_amount(least, token)} on. The money waits in the escrow: "
        "the buyer can have it paid out at any time, or it goes with the next refund that brings it above that."
    )


def _owed(network: str, token: str, account: str) -> int:
    mine = {"network": network, "token": token, "account": account}
    credited = Credit.objects.filter(**mine).aggregate(total=Sum("amount"))["total"]
    taken = Withdrawal.objects.filter(**mine).exclude(status=Event.Status.REVERTED).aggregate(total=Sum("amount"))
    return int(credited or 0) - int(taken["total"] or 0)


def _read(text: str, symbol: str) -> int:
    return parse_amount(text, Token(symbol, NATIVE, _FINEST, symbol))


@register()
def check_least_payouts(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """Whether the setting can be read, so that no sweep finds out."""
    found: list[CheckMessage] = []
    for symbol, text in settings.LEAST_AUTOMATIC_PAYOUT.items():
        try:
            _read(text, symbol)
        except InvalidAmountError as exc:
            found.append(Error(f"LEAST_AUTOMATIC_PAYOUT, {symbol}: {exc.message}", id="marketplace.E001"))
    return found
