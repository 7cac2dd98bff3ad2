"""The listener on a real chain."""

from collections.abc import Callable
from typing import Any

import pytest

from chain.bindings.escrow import Quote
from chain.models import Event
from chain.tokens import NATIVE
from tests.chain_fixtures import Contracts


def make_quote(contracts: Contracts, chain_time: Callable[[], int], **changes: Any) -> Quote:
    terms: dict[str, Any] = {
        "agent_id": 7,
        "creator": "0x000000000000000000000000000000000000dEaD",
        "buyer": NATIVE,
        "recipient": NATIVE,
        "token": NATIVE,
        "amount": 10**15,
        "access_duration": 86_400,
        "valid_until": chain_time() + 900,
        "salt": "0x" + "11" * 32,
    }
    return Quote(**{**terms, **changes})


@pytest.mark.django_db
def test_a_deposit_becomes_events(contracts, listener, funded_wallet, send, chain_time) -> None:
    buyer = funded_wallet()
    quote = make_quote(contracts, chain_time)
    signature = contracts.escrow.sign_quote(quote)
    listener.catch_up()
    Event.objects.all().delete()
    receipt = send(contracts.escrow.encode_deposit(quote, signature), buyer)
    listener.catch_up()
    names = list(Event.objects.order_by("log_index").values_list("name", "status"))
    assert ("PaymentDeposited", "seen") in names
    deposited = Event.objects.get(name="PaymentDeposited")
    assert deposited.args["paymentId"] == contracts.escrow.hash_quote(quote)
    assert deposited.args["amount"] == str(10**15)
    assert deposited.transaction_hash == receipt["transactionHash"]
    listener.confirm()
    assert Event.objects.get(name="PaymentDeposited").status == "confirmed"
