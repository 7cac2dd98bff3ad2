"""The listener as it runs in production: through outages, over several networks, and never silent about trouble."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import OperationalError
from pytest_django.fixtures import Settings

from chain import events
from chain.artefacts import ENTITLEMENTS
from chain.errors import ChainResetError, RpcUnavailableError
from chain.events import Handlers
from chain.listener import run
from chain.listener.heartbeat import last_beat
from chain.listener.listener import Listener
from chain.listener.run import Follower, follow
from chain.models import Cursor, Event, OutboxTransaction
from chain.networks import Network, default_network, get_network
from chain.outbox import Sender, enqueue
from chain.outbox.states import Status
from chain.rpc import Pool, pool_of
from chain.rpc.endpoint import Endpoint
from deploy.local.engines import Anvil
from tests.chain.fake_node import FakeChain, FakeNode
from tests.chain.quotes import CREATOR
from tests.chain.test_scenarios import prepare
from tests.chain_fixtures import Contracts


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache; and a round must not close the connection in whose transaction a test runs."""
    cache.clear()
    monkeypatch.setattr(run, "close_old_connections", lambda: None)


def follower_of(network: Network) -> Follower:
    return Follower(network, threading.Event())


def trouble(network: Network) -> str:
    beat = last_beat(network)
    assert beat is not None
    return beat.trouble


@pytest.mark.django_db
def test_it_reads_on_at_once_and_rests_at_the_head(contracts: Contracts) -> None:
    follower = follower_of(contracts.network)
    pauses = [follower.round() for _ in range(3)]
    assert pauses[0] == 0.0
    assert pauses[-1] == 0.5  # half a block
    beat = last_beat(contracts.network)
    cursor = Cursor.objects.get(network="local")
    assert beat is not None
    assert (beat.block, beat.head, beat.trouble) == (cursor.block_number, cursor.head_number, "")


@pytest.mark.django_db
def test_before_the_deployment_it_looks_again_every_block() -> None:
    follower = follower_of(default_network())
    pauses = [follower.round() for _ in range(12)]
    assert max(pauses) == 1
    assert "manage.py deploy_contracts local" in trouble(default_network())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RpcUnavailableError("node.example did not answer in time."), "node.example did not answer in time."),
        (OperationalError("gone"), "The database failed (OperationalError)."),
        (ZeroDivisionError(), "A handler failed (ZeroDivisionError); see the listener's log."),
    ],
)
def test_it_outlives_every_trouble_and_waits_longer_each_time(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    monkeypatch.setattr("chain.listener.run.connection", _Closable())
    follower = follower_of(contracts.network)
    with monkeypatch.context() as patch:

        def fails(self: Listener) -> int:
            raise error

        patch.setattr(Listener, "step", fails)
        pauses = [follower.round() for _ in range(9)]
        assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
        assert pauses[-1] == 30.0
        assert trouble(contracts.network) == said
    assert follower.round() == 0.0
    assert trouble(contracts.network) == ""


class _Closable:
    def close(self) -> None:
        return


@pytest.mark.django_db
def test_the_outbox_goes_on_while_a_handler_fails(contracts: Contracts, mine: Any) -> None:
    def fails(event: Event) -> None:
        raise RuntimeError

    events.subscribe(ENTITLEMENTS, "MinterChanged", Handlers(seen=fails))
    call = contracts.entitlements.encode_mint(CREATOR, 1, 0)
    row = enqueue(contracts.network, "GRANT_KEY", call, "k", "grant")
    follower = follower_of(contracts.network)
    follower.round()
    assert OutboxTransaction.objects.get(pk=row.pk).status == Status.SENT
    assert "A handler failed (RuntimeError)" in trouble(contracts.network)


@pytest.mark.django_db
def test_the_same_trouble_is_logged_once(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(self: Any) -> int:
        raise RpcUnavailableError("dead")

    monkeypatch.setattr(Listener, "step", fails)
    monkeypatch.setattr(Sender, "step", lambda self: 0)
    follower = follower_of(contracts.network)
    for _ in range(5):
        follower.round()
    assert sum("listener_waits" in str(record.msg) for record in caplog.records) == 1


@pytest.mark.django_db
def test_it_looks_back_every_minute_and_every_day(contracts: Contracts, monkeypatch: pytest.MonkeyPatch) -> None:
    now, done = [1000.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Listener, "rescan", lambda self: done.append("rescan"))
    monkeypatch.setattr(Listener, "backfill", lambda self, blocks: done.append(f"backfill {blocks}"))

    def audit(network: Network, most_holders: int) -> list[Any]:
        done.append(f"audit {most_holders}")
        return []

    monkeypatch.setattr(run, "audit", audit)
    follower = follower_of(contracts.network)
    while follower.round() == 0:
        pass
    assert done == ["backfill 86400"]
    now[0] += 59
    follower.round()
    assert done == ["backfill 86400"]
    now[0] += 2
    follower.round()
    assert done == ["backfill 86400", "rescan", "audit 200"]
    now[0] += 3600
    follower.round()
    assert done[3:] == ["rescan", "audit 200"]
    now[0] += 23 * 3600
    follower.round()
    assert done[5:] == ["rescan", "backfill 86400", "audit 200"]


@pytest.mark.django_db
def test_what_differs_from_the_chain_is_told_until_it_is_set_right(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    follower = follower_of(contracts.network)
    while follower.round() == 0:
        pass
    settings.PLATFORM_FEE_BPS = 300
    now[0] += 3700
    follower.round()
    beat = last_beat(contracts.network)
    assert beat is not None
    assert beat.warning == (
        "platform fee: 250 basis points on the chain, 300 in the settings (manage.py check_chain tells more)."
    )
    settings.PLATFORM_FEE_BPS = 250
    now[0] += 3700
    follower.round()
    beat = last_beat(contracts.network)
    assert beat is not None
    assert beat.warning == ""


@pytest.mark.django_db
def test_an_endpoint_that_stands_still_makes_way(monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    rng = random.Random(5)
    chain, frozen = FakeChain(rng), FakeChain(rng)
    for _ in range(5):
        chain.mine()
    frozen.blocks = list(chain.blocks)
    network = prepare("stormy")
    pool = Pool(
        network,
        [
            Endpoint("http://frozen", FakeNode(frozen, rng).transport),
            Endpoint("http://alive", FakeNode(chain, rng).transport),
        ],
    )
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(run, "audit", lambda network, most: iter(()))
    monkeypatch.setattr("chain.listener.listener.pool_of", lambda network: pool)
    monkeypatch.setattr("chain.outbox.sender.pool_of", lambda network: pool)
    follower = follower_of(network)
    while follower.round() == 0:
        pass
    for _ in range(10):
        chain.mine()
    follower.round()
    assert Cursor.objects.get(network="stormy").block_number == frozen.head
    now[0] += 31
    follower.round()  # notices
    follower.round()
    assert Cursor.objects.get(network="stormy").block_number == chain.head


@pytest.mark.django_db
def test_endpoints_that_disagree_are_a_warning(contracts: Contracts, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(run, "disagreement", lambda pool, depth: "They disagree.")
    follower = follower_of(contracts.network)
    while follower.round() == 0:
        pass
    now[0] += 61
    follower.round()
    beat = last_beat(contracts.network)
    assert beat is not None
    assert beat.warning == "They disagree."


# ---------------------------------------------------------------- several networks


@contextmanager
def second_chain(folder: Path, settings: Settings) -> Iterator[Anvil]:
    engine = Anvil(folder)
    engine.start()
    settings.NETWORKS = {
        **settings.NETWORKS,
        "second": {**settings.NETWORKS["local"], "name": "Second", "rpc_urls": [engine.url], "is_local": True},
    }
    try:
        yield engine
    finally:
        engine.stop()


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_two_networks_are_followed_at_once_and_kept_apart(
    contracts: Contracts, tmp_path: Path, settings: Settings
) -> None:
    with second_chain(tmp_path, settings) as engine:
        call_command("deploy_contracts", "second", verbosity=0)
        first, second = contracts.network, get_network("second")
        stop = threading.Event()
        following = threading.Thread(target=follow, args=((first, second), stop))
        following.start()
        try:
            for network, agent_id in ((first, 1), (second, 2)):
                from chain.bindings.entitlements import Entitlements

                call = Entitlements.for_network(network).encode_mint(CREATOR, agent_id, 0)
                enqueue(network, "GRANT_KEY", call, "grant", "grant")
            granted = Event.objects.filter(name="EntitlementChanged")
            wait_for(lambda: granted.count() == 2)
            assert set(granted.values_list("network", "args__agentId")) == {("local", "1"), ("second", "2")}

            # One chain is away: the other is followed as before, and health tells them apart.
            engine.stop()
            wait_for(lambda: (beat := last_beat(second)) is not None and beat.trouble != "")
            pool_of(first).call("anvil_mine", hex(first.confirmations))
            wait_for(lambda: granted.filter(network="local", status="confirmed").exists())
            assert trouble(first) == ""

            # It comes back empty: nobody is left in doubt, and a new deployment sets it right.
            engine.start()
            wait_for(lambda: "is not the one that this database was filled from" in trouble(second))
            call_command("deploy_contracts", "second", verbosity=0)
            wait_for(lambda: trouble(second) == "" and Cursor.objects.filter(network="second").exists())
            assert not granted.filter(network="second").exists()
            assert granted.filter(network="local").count() == 1
        finally:
            stop.set()
            following.join()


@pytest.mark.django_db
def test_a_reset_elsewhere_is_an_error_that_waits_for_a_person(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Any) -> int:
        raise ChainResetError("another chain")

    monkeypatch.setattr(Listener, "step", fails)
    real = Network(**{**{name: getattr(contracts.network, name) for name in Network.__slots__}, "is_local": False})
    follower = follower_of(real)
    assert max(follower.round() for _ in range(10)) == 30.0
    assert trouble(real) == "another chain"
