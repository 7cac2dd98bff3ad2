"""What the listener accepts of a node's answers, and how it adapts to what a node can do."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.artefacts import ENTITLEMENTS, ESCROW
from chain.errors import IncompleteAnswerError, RangeTooLargeError, RpcError
from chain.listener import Listener, bloom, reading
from chain.listener.node import Log, Node
from chain.listener.windows import FEW_LOGS, FIRST, LARGEST, MANY_LOGS, Window
from chain.models import Cursor, Deployment, Event
from chain.rpc import Pool, pool_of
from chain.rpc.endpoint import Endpoint
from tests.chain.fake_node import ADDRESSES, START, FakeChain, FakeNode, Faults
from tests.chain.test_scenarios import prepare, settle
from tests.chain_fixtures import Contracts

HASH = "0x" + "ab" * 32
HEADER = {"number": "0x5", "hash": HASH, "parentHash": HASH, "timestamp": "0x1", "logsBloom": "0x" + "00" * 256}
LOG = {
    "address": "0x" + "e1" * 20,
    "topics": [HASH],
    "data": "0x",
    "blockNumber": "0x5",
    "blockHash": HASH,
    "transactionHash": HASH,
    "logIndex": "0x0",
    "removed": False,
}


def node(answer: Any) -> Node:
    def send(body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        if isinstance(asked, list):
            return 200, json.dumps([{"id": each["id"], "result": answer} for each in asked]).encode()
        return 200, json.dumps({"id": asked["id"], "result": answer}).encode()

    return Node(Endpoint("http://x", send))


def without(record: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != name}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "0x5",
        {},
        *(without(HEADER, name) for name in HEADER),
        {**HEADER, "hash": "0xab"},
        {**HEADER, "hash": None},
        {**HEADER, "number": "five"},
        {**HEADER, "logsBloom": "0xzz"},
    ],
)
def test_a_header_that_is_not_whole_is_asked_for_again(answer: Any) -> None:
    with pytest.raises(IncompleteAnswerError):
        node(answer).head()


def test_a_header_of_another_block_is_noticed() -> None:
    with pytest.raises(IncompleteAnswerError, match="gave block 5 for 6"):
        node(HEADER).headers([6])
    assert node(None).headers([6, 7]) == [None, None]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        [None],
        *([without(LOG, name)] for name in LOG if name != "removed"),
        [{**LOG, "removed": True}],
        [{**LOG, "blockNumber": "0x9"}],  # not in the range that was asked for
        [{**LOG, "address": "0x" + "99" * 20}],  # not of our contracts
        [LOG, LOG],
        [LOG, {**LOG, "logIndex": "0x1", "blockHash": "0x" + "cd" * 32}],  # two versions of one block
    ],
)
def test_logs_that_contradict_themselves_are_asked_for_again(answer: Any) -> None:
    with pytest.raises(IncompleteAnswerError):
        node(answer).logs(4, 6, ["0x" + "e1" * 20])


def test_logs_come_in_the_chains_order_with_their_time() -> None:
    answer = [{**LOG, "logIndex": "0x2"}, {**LOG, "logIndex": "0x1", "blockTimestamp": "0x7"}]
    first, second = node(answer).logs(5, 5, ["0x" + "e1" * 20])
    assert (first.log_index, first.timestamp) == (1, 7)
    assert (second.log_index, second.timestamp) == (2, None)


def test_logs_and_receipts_by_hash_must_be_of_that_block() -> None:
    header = node({**HEADER, "hash": "0x" + "cd" * 32}).head()
    with pytest.raises(IncompleteAnswerError, match="logs of another block"):
        node([LOG]).logs_of([header], [LOG["address"]])  # type: ignore[list-item]
    with pytest.raises(IncompleteAnswerError, match="logs of another block"):
        node([{"logs": [LOG]}]).receipt_logs([header])
    for nothing in (None, [None], "0x"):
        with pytest.raises(IncompleteAnswerError, match="no receipts"):
            node(nothing).receipt_logs([header])


def test_a_node_without_receipts_says_so_and_other_refusals_are_handed_on() -> None:
    header = node(HEADER).head()

    def refusing(code: int) -> Node:
        def send(body: bytes) -> tuple[int, bytes]:
            asked = json.loads(body)
            error = {"code": code, "message": "no"}
            answers = [{"id": each["id"], "error": error} for each in (asked if isinstance(asked, list) else [asked])]
            return 200, json.dumps(answers if isinstance(asked, list) else answers[0]).encode()

        return Node(Endpoint("http://x", send))

    assert refusing(-32601).receipt_logs([header]) is None
    with pytest.raises(RpcError):
        refusing(-32603).receipt_logs([header])


# ---------------------------------------------------------------- filters


def log(address: bytes, *topics: bytes) -> Log:
    return Log(address, topics, b"", 1, HASH, HASH, 0, None)


@given(st.lists(st.tuples(st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32)), max_size=20))
def test_a_filter_never_hides_what_is_there(made: list[tuple[bytes, bytes]]) -> None:
    filled = bloom.bloom_of(log(address, topic) for address, topic in made)
    assert len(filled) == 256
    assert all(bloom.may_contain(filled, [address]) for address, _ in made)
    assert bloom.is_telling(filled)


@pytest.mark.django_db
def test_our_filters_are_the_nodes(contracts: Contracts) -> None:
    pool = pool_of(contracts.network)
    numbers = {row.block_number for row in Deployment.objects.filter(contract__in=[ENTITLEMENTS, ESCROW])}
    for number in numbers:
        real = Node(pool.endpoints[0])
        (header,) = real.headers([number])
        assert header is not None
        (logs,) = real.receipt_logs([header]) or [[]]
        assert logs
        assert bloom.bloom_of(logs) == header.bloom


def test_the_ends_of_what_a_filter_can_say() -> None:
    address = bytes(20)
    assert int.from_bytes(bloom.bloom_of([log(address)])).bit_count() <= 3
    assert not bloom.may_contain(b"\0" * 256, [address])
    assert bloom.may_contain(b"\xff" * 256, [address])
    assert not bloom.is_telling(b"\xff" * 256)


def test_only_blocks_whose_filter_has_us_cost_a_request() -> None:
    rng = random.Random(1)
    chain = FakeChain(rng)
    for _ in range(30):
        chain.mine(events=0)
    fake = FakeNode(chain, rng)
    segment = reading.read_singly(
        Node(Endpoint("http://x", fake.transport)), None, range(START + 1, chain.head + 1), list(ADDRESSES.values())
    )
    assert segment is not None
    assert (len(segment.headers), segment.logs) == (30, ())
    assert fake.requests == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("busy", "events", "requests"), [(False, 0, 1), (False, 2, 2), (True, 0, 2)])
def test_what_a_new_block_costs(busy: bool, events: int, requests: int) -> None:
    chain = FakeChain(random.Random(2), busy=busy)
    listener, fake = listening(chain)
    chain.mine(events=0)
    settle(listener)
    before = fake.requests
    chain.mine(events=events)
    assert listener.step() == 1
    assert fake.requests - before == requests
    assert listener.step() == 0
    assert fake.requests - before == requests + 1


# ---------------------------------------------------------------- windows


def test_a_window_grows_while_answers_are_thin_and_shrinks_when_they_are_thick() -> None:
    window = Window()
    assert window.size == FIRST
    for _ in range(10):
        window.answered(FEW_LOGS - 1)
    assert window.size == LARGEST
    window.answered(FEW_LOGS)
    assert window.size == LARGEST
    window.answered(MANY_LOGS + 1)
    assert window.size == LARGEST // 2
    window.answered(100 * MANY_LOGS)
    assert window.size == LARGEST // 2 // 100


def test_a_window_stays_below_what_was_refused_but_not_for_ever() -> None:
    window = Window()
    window.refused(400)
    assert window.size == 200
    window.answered(0)
    assert window.size == 399
    for _ in range(200):
        window.answered(0)
    assert window.size == LARGEST
    for size in (LARGEST, 2, 1):
        window.refused(size)
    assert window.size == 1


# ---------------------------------------------------------------- the listener on top


def listening(chain: FakeChain, faults: Faults | None = None) -> tuple[Listener, FakeNode]:
    network = prepare("stormy")
    fake = FakeNode(chain, random.Random(1), faults)
    return Listener(network, Pool(network, [Endpoint("http://x", fake.transport)])), fake


@pytest.fixture
def old_chain() -> FakeChain:
    chain = FakeChain(random.Random(2))
    for _ in range(300):
        chain.mine(events=1)
    return chain


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("most_blocks", [1, 2, 50])
def test_a_node_that_answers_for_few_blocks_is_asked_for_few(old_chain: FakeChain, most_blocks: int) -> None:
    listener, _ = listening(old_chain, Faults(most_blocks=most_blocks))
    settle(listener)
    assert Event.objects.count() == 300
    assert listener.reindex(START + 1, old_chain.head) == (0, 0)


@pytest.mark.slow
@pytest.mark.django_db
def test_a_node_that_answers_for_no_range_at_all_is_read_block_by_block(
    old_chain: FakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise RangeTooLargeError("none at all")

    listener, _ = listening(old_chain)
    monkeypatch.setattr(Node, "logs", refuse)
    settle(listener)
    assert Event.objects.count() == 300
    assert listener.reindex(old_chain.head - 3, old_chain.head) == (0, 0)


@pytest.mark.django_db
def test_a_stretch_with_too_many_events_is_cut(old_chain: FakeChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chain.listener.listener.MANY_LOGS", 20)
    monkeypatch.setattr("chain.listener.windows.MANY_LOGS", 20)
    listener, _ = listening(old_chain)
    assert 0 < listener.step() <= 40
    settle(listener)
    assert Event.objects.count() == 300


@pytest.mark.django_db
def test_what_our_contracts_cannot_have_said_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = FakeChain(random.Random(2))
    block = chain.mine(events=3)
    ours = [each for each in block.logs if each["address"] in ADDRESSES.values()]
    ours[0]["data"] = "0x1234"
    ours[1]["topics"] = ["0x" + "77" * 32]
    block.bloom = (
        "0x"
        + bloom.bloom_of(
            Log(
                bytes.fromhex(each["address"][2:]),
                tuple(bytes.fromhex(t[2:]) for t in each["topics"]),
                b"",
                0,
                "",
                "",
                0,
                None,
            )
            for each in block.logs
        ).hex()
    )
    listener, _ = listening(chain)
    settle(listener)
    assert [event.log_index for event in Event.objects.all()] == [int(ours[2]["logIndex"], 16)]


@pytest.mark.django_db
def test_a_node_below_our_contracts_is_waited_for() -> None:
    chain = FakeChain(random.Random(2))
    del chain.blocks[5:]
    listener, _ = listening(chain)
    with pytest.raises(IncompleteAnswerError, match="is at block 4, below our contracts"):
        listener.step()
    assert not Cursor.objects.exists()


@pytest.mark.django_db
def test_nothing_is_rescanned_before_anything_was_read() -> None:
    listener, _ = listening(FakeChain(random.Random(2)))
    assert listener.rescan() == (0, 0)
    assert listener.backfill(100) == (0, 0)


@pytest.mark.django_db
def test_a_rescan_of_blocks_that_just_changed_leaves_them_to_the_next_step() -> None:
    chain = FakeChain(random.Random(2))
    for _ in range(10):
        chain.mine(events=1)
    listener, _ = listening(chain)
    settle(listener)
    chain.reorg(3, 4)
    assert listener.rescan() == (0, 0)
    assert Event.objects.filter(status="reverted").count() == 0
    settle(listener)
    assert Event.objects.filter(status="reverted").count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize("moved", [lambda cursor: cursor.update(block_number=10**6), lambda cursor: cursor.delete()])
def test_what_was_read_from_an_outdated_cursor_is_dropped(
    moved: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another listener moves the cursor while this one reads."""
    chain = FakeChain(random.Random(2))
    for _ in range(5):
        chain.mine(events=1)
    listener, _ = listening(chain)
    settle(listener)
    chain.mine(events=1)
    whole = reading.read_blocks

    def meanwhile(*args: Any) -> Any:
        moved(Cursor.objects.all())
        return whole(*args)

    monkeypatch.setattr(reading, "read_blocks", meanwhile)
    assert listener.step() == 0
    assert Event.objects.count() == 5
