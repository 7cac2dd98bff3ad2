"""Seeded storms: whatever the nodes answer, in the end the database equals a fresh index of the chain.

Handlers keep books in SQL, in the listener's own transactions: an event that is seen twice, confirmed before it was
seen, or undone without having been done breaks a constraint at once, not only at the end.
"""

import os
import random
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.db import connection

from chain import events
from chain.artefacts import ENTITLEMENTS, ESCROW
from chain.errors import ChainResetError, RpcUnavailableError
from chain.events import Handlers
from chain.listener import Listener, reading
from chain.models import Block, Cursor, Deployment, Event
from chain.networks import Network
from chain.rpc import Pool
from chain.rpc.endpoint import Endpoint
from tests.chain.fake_node import ADDRESSES, CHAIN_ID, START, FakeChain, FakeNode, Faults

# How many storms; 500 in the long run.
SCENARIOS = int(os.environ.get("CHAIN_SCENARIOS", "60"))
SUBSCRIBED = ((ENTITLEMENTS, "EntitlementChanged"), (ESCROW, "PaymentRefunded"))


def make_network(slug: str) -> Network:
    return Network(slug, slug, CHAIN_ID, ("http://fake",), 3, 2, "", "ETH", True)


def prepare(slug: str) -> Network:
    for contract, address in ADDRESSES.items():
        Deployment.objects.create(network=slug, contract=contract, address=address, block_number=START + 1)
    return make_network(slug)


@pytest.fixture
def _books(db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE book (network text, block text, index int, confirmed bool, "
            "PRIMARY KEY (network, block, index)) ON COMMIT DROP"
        )

    def run(sql: str, event: Event) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, [event.network, event.block_hash, event.log_index])
            assert cursor.rowcount == 1, (sql, event.status)

    def seen(event: Event) -> None:
        assert event.status == "seen"
        run("INSERT INTO book VALUES (%s, %s, %s, false)", event)

    def confirmed(event: Event) -> None:
        assert event.status == "confirmed"
        run("UPDATE book SET confirmed = true WHERE network=%s AND block=%s AND index=%s AND NOT confirmed", event)

    def reverted(event: Event) -> None:
        was = "confirmed" if event.status == "confirmed" else "NOT confirmed"
        assert event.status != "reverted"
        run(f"DELETE FROM book WHERE network=%s AND block=%s AND index=%s AND {was}", event)  # noqa: S608

    for contract, name in SUBSCRIBED:
        events.subscribe(contract, name, Handlers(seen, confirmed, reverted))
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE book")


def book(slug: str) -> set[tuple[str, int, bool]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT block, index, confirmed FROM book WHERE network = %s", [slug])
        return set(cursor.fetchall())


def index_of(slug: str) -> list[tuple[object, ...]]:
    return list(
        Event.objects.filter(network=slug)
        .exclude(status="reverted")
        .order_by("block_number", "log_index")
        .values_list("block_number", "block_hash", "log_index", "contract", "name", "args", "status", "block_time")
    )


def steps(listener: Listener, most: int) -> None:
    """Poll until there is nothing to do, at most `most` times; troubles of the node are what is tested."""
    for _ in range(most):
        try:
            if not listener.step():
                return
        except (RpcUnavailableError, ChainResetError):
            continue


def settle(listener: Listener) -> None:
    while listener.step():
        pass


@pytest.mark.django_db
@pytest.mark.usefixtures("_books")
@pytest.mark.parametrize("seed", range(SCENARIOS))
@pytest.mark.slow
def test_after_any_storm_the_database_equals_a_fresh_index(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    by_ranges = rng.random() < 0.3
    busy = rng.random() < 0.2
    if by_ranges:
        monkeypatch.setattr(reading, "TIP_DEPTH", 6)
        monkeypatch.setattr("chain.listener.listener.TIP_DEPTH", 6)
    chain = FakeChain(rng, busy=busy)
    nodes = [FakeNode(chain, rng, Faults.storm(rng)) for _ in range(rng.choice((1, 1, 2, 3)))]
    network = prepare("stormy")
    pool = Pool(network, [Endpoint("http://fake", node.transport) for node in nodes], clock=lambda: 0.0)
    listener = Listener(network, pool)

    for _ in range(rng.randrange(4, 12)):
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            chain.mine()
        steps(listener, rng.randrange(1, 8))
        if rng.random() < 0.5:
            depth = rng.choice((1, 1, 2, 3, 5, 8, 21, 64))
            chain.reorg(depth, depth + rng.randrange(0, 3) - (rng.random() < 0.2))
            steps(listener, rng.randrange(0, 6))
        if rng.random() < 0.2:
            with suppress(RpcUnavailableError):
                listener.rescan(rng.choice((4, 32)))
    for node in nodes:
        node.faults = Faults(most_batch=node.faults.most_batch, most_blocks=node.faults.most_blocks)
    chain.mine()  # the head that ends every fork, should a shorter branch have won
    settle(listener)
    if busy or by_ranges or any(node.faults.no_receipts_method for node in nodes):
        listener.reindex(START + 1, Cursor.objects.get(network="stormy").block_number, singly=True)

    fresh = Listener(
        prepare("fresh"), Pool(make_network("fresh"), [Endpoint("http://fake", FakeNode(chain, rng).transport)])
    )
    settle(fresh)

    assert index_of("stormy") == index_of("fresh")
    assert len(index_of("fresh")) == len(chain.our_logs())
    settled = chain.head - network.confirmations
    expected = {
        (log["blockHash"], int(log["logIndex"], 16), int(log["blockNumber"], 16) <= settled) for log in chain.our_logs()
    }
    assert book("stormy") == book("fresh") == expected
    cursor = Cursor.objects.get(network="stormy")
    assert (cursor.block_number, cursor.block_hash) == (chain.head, chain.blocks[-1].hash)
    hashes = {block.number: block.hash for block in chain.blocks}
    kept = Block.objects.filter(network="stormy").values_list("number", "hash")
    assert all(hashes[number] == block_hash for number, block_hash in kept)


@pytest.mark.django_db
@pytest.mark.usefixtures("_books")
@pytest.mark.parametrize("depth", [1, 2, 3, 7, 8, 9, 32, 63, 64])
def test_a_reorg_of_any_depth_is_undone_to_the_common_ancestor(depth: int) -> None:
    rng = random.Random(depth)
    chain = FakeChain(rng)
    network = prepare("stormy")
    listener = Listener(network, Pool(network, [Endpoint("http://fake", FakeNode(chain, rng).transport)]))
    for _ in range(80):
        chain.mine(events=1)
    settle(listener)
    before = {row[1] for row in index_of("stormy")}

    chain.reorg(depth, depth + 1)

    assert listener.step() == depth
    assert len(index_of("stormy")) == 80 - depth
    assert Event.objects.filter(network="stormy", status="reverted").count() == depth
    settle(listener)
    assert {row[1] for row in index_of("stormy")} == {log["blockHash"] for log in chain.our_logs()} != before


@pytest.mark.django_db
@pytest.mark.usefixtures("_books")
def test_an_event_that_comes_back_is_seen_again() -> None:
    """The chain goes to another branch and back: the same block, the same log."""
    rng = random.Random(1)
    chain = FakeChain(rng)
    network = prepare("stormy")
    listener = Listener(network, Pool(network, [Endpoint("http://fake", FakeNode(chain, rng).transport)]))
    chain.mine(events=2)
    settle(listener)
    first_branch = list(chain.blocks)
    chain.reorg(1, 2)
    settle(listener)
    theirs = Event.objects.filter(network="stormy", block_hash=first_branch[-1].hash)
    assert [event.status for event in theirs] == ["reverted", "reverted"]

    chain.blocks = first_branch
    chain.mine(events=0)
    chain.mine(events=0)
    settle(listener)

    assert [event.status for event in theirs.all()] == ["seen", "seen"]
    assert len(book("stormy")) == 2


@pytest.mark.django_db
def test_one_false_answer_takes_nothing_back() -> None:
    """A single wrong hash for the block we are at is asked for again before anything is undone."""
    rng = random.Random(2)
    chain = FakeChain(rng)
    network = prepare("stormy")
    node = FakeNode(chain, rng)
    listener = Listener(network, Pool(network, [Endpoint("http://fake", node.transport)]))
    for _ in range(5):
        chain.mine(events=1)
    settle(listener)
    for _ in range(3):
        chain.mine(events=0)
    whole = node._block
    lies = iter([True])

    def lying(params: list[object], blocks: list[object]) -> object:
        answer = whole(params, blocks)  # type: ignore[arg-type]
        if params[0] == hex(START + 5) and next(lies, False):
            assert answer is not None
            return {**answer, "hash": "0x" + "66" * 32}
        return answer

    node._block = lying  # type: ignore[assignment, method-assign]
    with pytest.raises(RpcUnavailableError, match="contradicts itself on block 15"):
        listener.step()
    settle(listener)
    assert not Event.objects.filter(status="reverted").exists()
    assert len(index_of("stormy")) == 5


@pytest.mark.django_db
@pytest.mark.parametrize("faults", [Faults(empty_logs=1), Faults(half_logs=1)])
def test_logs_that_a_busy_chain_withheld_are_found_by_the_rescan(faults: Faults) -> None:
    rng = random.Random(3)
    chain = FakeChain(rng, busy=True)
    network = prepare("stormy")
    node = FakeNode(chain, rng, faults)
    listener = Listener(network, Pool(network, [Endpoint("http://fake", node.transport)]))
    for _ in range(20):
        chain.mine(events=2)
    settle(listener)
    missing = 40 - len(index_of("stormy"))
    assert missing > 0

    node.faults = Faults()
    assert listener.rescan() == (missing, 0)
    assert listener.rescan() == (0, 0)
    assert len(index_of("stormy")) == 40


@pytest.mark.django_db
def test_a_stored_event_that_is_not_on_the_chain_is_undone_by_the_rescan() -> None:
    rng = random.Random(4)
    chain = FakeChain(rng)
    network = prepare("stormy")
    listener = Listener(network, Pool(network, [Endpoint("http://fake", FakeNode(chain, rng).transport)]))
    for _ in range(5):
        chain.mine(events=1)
    settle(listener)
    row = Event.objects.filter(network="stormy").order_by("block_number").first()
    assert row is not None
    Event.objects.filter(pk=row.pk).update(log_index=77)
    assert listener.rescan() == (1, 1)
    assert Event.objects.get(pk=row.pk).status == "reverted"
    assert len(index_of("stormy")) == 5
