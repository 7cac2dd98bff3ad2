"""The listener on a real chain."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from eth_account.signers.local import LocalAccount

from chain import events
from chain.artefacts import ENTITLEMENTS, ESCROW
from chain.calls import Call
from chain.errors import ChainResetError, NotDeployedError
from chain.events import Handlers
from chain.listener import Listener
from chain.models import Block, Cursor, Deployment, Event
from chain.networks import default_network
from chain.rpc import pool_of
from tests.chain.quotes import QuoteMaker
from tests.chain_fixtures import Contracts, TestListener, mine_blocks

Send = Callable[[Call, LocalAccount], dict[str, Any]]


class Heard:
    """Handlers that note what they are told."""

    def __init__(self, contract: str, event: str) -> None:
        self.told: list[tuple[str, str, str]] = []
        events.subscribe(
            contract,
            event,
            Handlers(
                seen=lambda each: self._note("seen", each),
                confirmed=lambda each: self._note("confirmed", each),
                reverted=lambda each: self._note("reverted", each),
            ),
        )

    def _note(self, kind: str, event: Event) -> None:
        assert connection.in_atomic_block
        self.told.append((kind, event.args.get("paymentId", ""), event.status))


def deposit(contracts: Contracts, quote: Any, send: Send, buyer: LocalAccount) -> dict[str, Any]:
    return send(contracts.escrow.encode_deposit(quote, contracts.escrow.sign_quote(quote)), buyer)


@pytest.mark.django_db
def test_a_deposit_is_seen_then_confirmed(
    contracts: Contracts, listener: TestListener, funded_wallet: Any, send: Send, make_quote: QuoteMaker
) -> None:
    heard = Heard(ESCROW, "PaymentDeposited")
    buyer, quote = funded_wallet(), make_quote(amount=10**15)
    payment_id = contracts.escrow.hash_quote(quote)
    receipt = deposit(contracts, quote, send, buyer)

    listener.catch_up()

    assert heard.told == [("seen", payment_id, "seen")]
    event = Event.objects.get(name="PaymentDeposited")
    assert event.args == {
        "paymentId": payment_id,
        "agentId": "7",
        "recipient": buyer.address,
        "payer": buyer.address,
        "creator": quote.creator,
        "token": quote.token,
        "amount": "1000000000000000",
        "feeBps": "250",
        "accessDuration": "86400",
        "releaseAfter": event.args["releaseAfter"],
        "expiresAt": event.args["expiresAt"],
    }
    assert (event.network, event.contract, event.status) == ("local", ESCROW, "seen")
    assert event.address == contracts.escrow.address
    assert event.transaction_hash == receipt["transactionHash"]
    assert event.block_hash == receipt["blockHash"]
    block = pool_of(contracts.network).call("eth_getBlockByNumber", hex(event.block_number), False)
    assert int(event.block_time.timestamp()) == int(block["timestamp"], 16)
    assert int(event.args["releaseAfter"]) == int(block["timestamp"], 16) + 3 * 24 * 3600

    mine_blocks(contracts.network, contracts.network.confirmations - 1)
    listener.catch_up()
    assert len(heard.told) == 1
    mine_blocks(contracts.network)
    listener.catch_up()
    assert heard.told[1:] == [("confirmed", payment_id, "confirmed")]
    assert Event.objects.get(name="PaymentDeposited").status == "confirmed"
    listener.confirm()
    assert len(heard.told) == 2


@pytest.mark.django_db
def test_a_reorg_takes_a_deposit_back(
    contracts: Contracts,
    listener: TestListener,
    funded_wallet: Any,
    send: Send,
    make_quote: QuoteMaker,
    reorg_scope: Any,
    mine: Any,
) -> None:
    heard = Heard(ESCROW, "PaymentDeposited")
    buyer, quote = funded_wallet(), make_quote()
    payment_id = contracts.escrow.hash_quote(quote)
    mine(3)
    with reorg_scope() as undo:
        deposit(contracts, quote, send, buyer)
        listener.confirm()
        assert [kind for kind, _, _ in heard.told] == ["seen", "confirmed"]
        undo()
    mine(5)

    listener.catch_up()

    assert heard.told[2:] == [("reverted", payment_id, "confirmed")]
    assert [event.status for event in Event.objects.filter(name="PaymentDeposited")] == ["reverted"]

    deposit(contracts, quote, send, buyer)  # the buyer's transaction is mined on the other branch too
    listener.confirm()
    assert [kind for kind, _, _ in heard.told[3:]] == ["seen", "confirmed"]
    statuses = Event.objects.filter(name="PaymentDeposited").order_by("created_at").values_list("status", flat=True)
    assert list(statuses) == ["reverted", "confirmed"]


@pytest.mark.django_db
def test_a_failing_handler_changes_nothing_and_is_asked_again(
    contracts: Contracts, listener: TestListener, funded_wallet: Any, send: Send, make_quote: QuoteMaker
) -> None:
    buyer = funded_wallet()
    listener.catch_up()
    before = Cursor.objects.get(network="local").block_number
    failing = [True]

    def handler(event: Event) -> None:
        if failing:
            raise RuntimeError("no")

    events.subscribe(ESCROW, "PaymentDeposited", Handlers(seen=handler))
    deposit(contracts, make_quote(), send, buyer)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no"):
            listener.step()
        assert Cursor.objects.get(network="local").block_number == before
        assert not Event.objects.filter(name="PaymentDeposited").exists()
        assert Block.objects.order_by("-number")[0].number == before
    failing.clear()
    assert listener.step() == 1
    assert Event.objects.filter(name="PaymentDeposited").count() == 1


@pytest.mark.django_db
def test_it_starts_below_the_first_contract_and_reads_long_stretches_by_range(
    contracts: Contracts, listener: TestListener, funded_wallet: Any, send: Send, make_quote: QuoteMaker, mine: Any
) -> None:
    buyer = funded_wallet()
    deposit(contracts, make_quote(), send, buyer)
    mine(700)
    deposit(contracts, make_quote(), send, buyer)
    first = listener.step()
    assert first > 128  # one request for all that is old
    listener.catch_up()
    assert Event.objects.filter(name="PaymentDeposited").count() == 2
    assert Event.objects.filter(name="MinterChanged").count() == 2
    oldest = Deployment.objects.order_by("block_number")[0].block_number
    assert Event.objects.order_by("block_number")[0].block_number == oldest
    assert Block.objects.count() <= 300


@pytest.mark.django_db
def test_before_a_deployment_there_is_nothing_to_listen_to() -> None:
    with pytest.raises(NotDeployedError, match=r"Run: manage\.py deploy_contracts local"):
        Listener(default_network()).step()


@pytest.mark.django_db
def test_a_half_made_deployment_is_waited_for(contracts: Contracts) -> None:
    Deployment.objects.filter(contract=ENTITLEMENTS).delete()
    with pytest.raises(NotDeployedError):
        Listener(contracts.network).step()


@pytest.mark.django_db
@pytest.mark.parametrize("head_below", [True, False])
def test_a_wiped_chain_is_told_from_a_lagging_node(
    contracts: Contracts, listener: TestListener, mine: Any, head_below: bool
) -> None:
    mine(3)
    listener.catch_up()
    cursor = Cursor.objects.get(network="local")
    Block.objects.filter(network="local").delete()
    Block.objects.create(
        network="local",
        number=cursor.block_number + 9,
        hash="0x" + "77" * 32,
        parent_hash="0x" + "76" * 32,
        timestamp=cursor.updated_at,
    )
    number = cursor.block_number + 500 if head_below else cursor.block_number
    Cursor.objects.filter(network="local").update(block_number=number, block_hash="0x" + "77" * 32)
    with pytest.raises(ChainResetError, match="is not the one that this database was filled from") as caught:
        listener.step()
    assert "manage.py deploy_contracts local" in caught.value.message
    assert Cursor.objects.get(network="local").block_number == number


@pytest.mark.django_db
def test_a_node_that_is_behind_is_waited_for(
    contracts: Contracts, listener: TestListener, mine: Any, reorg_scope: Any
) -> None:
    mine(3)
    with reorg_scope() as undo:
        mine(2)
        listener.catch_up()
        read = Cursor.objects.get(network="local")
        undo()
    assert listener.step() == 0  # the same chain, two blocks shorter
    again = Cursor.objects.get(network="local")
    assert (again.block_number, again.block_hash) == (read.block_number, read.block_hash)


@pytest.mark.django_db
def test_rescan_and_reindex_bring_back_what_is_missing(
    contracts: Contracts, listener: TestListener, funded_wallet: Any, send: Send, make_quote: QuoteMaker, capsys: Any
) -> None:
    buyer = funded_wallet()
    deposit(contracts, make_quote(), send, buyer)
    listener.confirm()
    heard = Heard(ESCROW, "PaymentDeposited")
    everything = Event.objects.count()
    Event.objects.filter(name="PaymentDeposited").delete()
    assert listener.listener.rescan() == (1, 0)
    assert [kind for kind, _, _ in heard.told] == ["seen", "confirmed"]

    Event.objects.all().delete()
    call_command("reindex", "0")
    assert f"{everything} events added, 0 undone" in capsys.readouterr().out
    assert Event.objects.count() == everything
    call_command("reindex", "0", "--singly")
    assert "0 events added, 0 undone" in capsys.readouterr().out
    assert listener.listener.backfill(10_000) == (0, 0)


@pytest.mark.django_db
def test_once_reads_to_the_head_and_ends(contracts: Contracts, capsys: Any) -> None:
    call_command("listen", "--once")
    assert "Local chain: " in capsys.readouterr().out
    head = int(pool_of(contracts.network).call("eth_blockNumber"), 16)
    assert Cursor.objects.get(network="local").block_number == head
    with pytest.raises(CommandError, match="no network 'mars'"):
        call_command("listen", "--network", "mars")


@pytest.mark.django_db(transaction=True)
def test_eight_listeners_store_everything_once(
    contracts: Contracts, funded_wallet: Any, send: Send, make_quote: QuoteMaker
) -> None:
    seen: list[str] = []
    events.subscribe(ESCROW, "PaymentDeposited", Handlers(seen=lambda event: seen.append(event.args["paymentId"])))
    buyer = funded_wallet()
    head = 0
    for _ in range(12):
        head = int(deposit(contracts, make_quote(), send, buyer)["blockNumber"], 16)
    start, failures = threading.Barrier(8), []

    def listen() -> None:
        try:
            mine = Listener(contracts.network)
            start.wait()
            while (cursor := Cursor.objects.filter(network="local").first()) is None or cursor.block_number < head:
                mine.step()
        except Exception as exc:
            failures.append(exc)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=listen) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert Event.objects.filter(name="PaymentDeposited").count() == 12
    # A listener that loses the compare-and-set has not even called a handler.
    assert len(seen) == len(set(seen)) == 12


@pytest.mark.django_db
def test_subscriptions_are_checked_and_counted_once() -> None:
    calls: list[str] = []
    handlers = Handlers(seen=lambda event: calls.append(event.name))
    with pytest.raises(ValueError, match="has no event Nothing"):
        events.subscribe(ESCROW, "Nothing", handlers)
    events.subscribe(ESCROW, "Withdrawn", handlers)
    events.subscribe(ESCROW, "Withdrawn", handlers)
    event = Event(contract=ESCROW, name="Withdrawn")
    events.dispatch("seen", event)
    events.dispatch("confirmed", event)
    assert calls == ["Withdrawn"]
    events.unsubscribe(ESCROW, "Withdrawn", handlers)
    events.dispatch("seen", event)
    assert calls == ["Withdrawn"]
