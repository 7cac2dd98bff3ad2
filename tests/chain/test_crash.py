"""Killed at every step: from the same state, the process dies with SIGKILL before its n-th statement or request, for
every n until it gets through, and another goes on. Nothing is lost and nothing happens twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections

from chain import events
from chain.artefacts import ESCROW
from chain.events import Handlers
from chain.listener import Listener
from chain.models import Block, Cursor, Event, OutboxTransaction, SendingAccount
from chain.networks import Network
from chain.outbox import Sender, enqueue
from chain.outbox.states import OPEN, Status
from chain.rpc import Pool, pool_of
from chain.rpc.endpoint import Endpoint, Transport, http_transport
from tests.chain.quotes import CREATOR, QuoteMaker
from tests.chain_fixtures import Contracts, mine_blocks, reorg_on

ROOT = Path(__file__).resolve().parents[2]
MOST_STEPS = 400
# Every how many steps a process is killed; 1 (every step) in the long run.
STRIDE = int(os.environ.get("CHAIN_CRASH_STRIDE", "7"))


class Fuse:
    """Kills the process before its n-th step."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def burn(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def sql(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.burn()
        return execute(sql, params, many, context)

    def transport(self, url: str) -> Transport:
        send = http_transport(url)

        def burning(body: bytes) -> tuple[int, bytes]:
            self.burn()
            answer = send(body)
            self.burn()  # the node has done it, and we never hear of it
            return answer

        return burning


def in_a_process_that_dies(network: Network, steps: int, work: Callable[[Pool], None]) -> bool:
    """Run `work` in a fork that is killed at its `steps`-th step; whether it got through."""
    connections.close_all()

    def run() -> None:
        fuse = Fuse(steps)
        pool = Pool(network, [Endpoint(url, fuse.transport(url)) for url in network.rpc_urls])
        with connection.execute_wrapper(fuse.sql):
            work(pool)
        os._exit(0)

    process = get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode == 0


@pytest.fixture
def _book(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE crash_book (payment text PRIMARY KEY, confirmed bool NOT NULL DEFAULT false)")

    def run(sql: str, event: Event) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, [event.args["paymentId"]])
            assert cursor.rowcount == 1

    events.subscribe(
        ESCROW,
        "PaymentDeposited",
        Handlers(
            seen=lambda event: run("INSERT INTO crash_book VALUES (%s)", event),
            confirmed=lambda event: run(
                "UPDATE crash_book SET confirmed = true WHERE payment = %s AND NOT confirmed", event
            ),
            reverted=lambda event: run("DELETE FROM crash_book WHERE payment = %s", event),
        ),
    )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE crash_book")


def booked() -> dict[str, bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT payment, confirmed FROM crash_book")
        return dict(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_book")
def test_a_listener_killed_at_any_step_loses_and_doubles_nothing(
    contracts: Contracts, funded_wallet: Any, send: Any, make_quote: QuoteMaker
) -> None:
    """Two deposits are on the chain and read, two are on a branch that was read and is lost, one is new."""
    network, escrow, buyer = contracts.network, contracts.escrow, funded_wallet()

    def deposit() -> str:
        quote = make_quote()
        send(escrow.encode_deposit(quote, escrow.sign_quote(quote)), buyer)
        return escrow.hash_quote(quote)

    def listen(pool: Pool | None = None) -> None:
        listener = Listener(network, pool)
        while listener.step():
            pass
        listener.rescan()

    kept = [deposit(), deposit()]
    with reorg_on(network) as undo:
        lost = [deposit(), deposit()]
        listen()
        assert set(booked()) == {*kept, *lost}
        undo()
    kept.append(deposit())
    mine_blocks(network, network.confirmations)
    before = _Tables()

    for step in range(0, MOST_STEPS, STRIDE):
        before.restore()
        got_through = in_a_process_that_dies(network, step, listen)
        listen()
        assert booked() == dict.fromkeys(kept, True), step
        statuses = Event.objects.filter(name="PaymentDeposited").values_list("args__paymentId", "status")
        assert sorted(statuses) == sorted(
            [*((payment, "confirmed") for payment in kept), *((payment, "reverted") for payment in lost)]
        ), step
        head = int(pool_of(network).call("eth_blockNumber"), 16)
        assert Cursor.objects.get(network="local").block_number == head, step
        if got_through:
            break
    assert got_through
    assert step > 40


class _Tables:
    """What the database holds of the chain, to start from again."""

    models: tuple[Any, ...] = (Event, Block, Cursor)

    def __init__(self) -> None:
        self._rows = [list(model.objects.values()) for model in self.models]
        self._book = booked()

    def restore(self) -> None:
        for model, rows in zip(self.models, self._rows, strict=True):
            model.objects.all().delete()
            model.objects.bulk_create(model(**row) for row in rows)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM crash_book")
            cursor.executemany("INSERT INTO crash_book VALUES (%s, %s)", list(self._book.items()))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("replaced", [False, True])
def test_an_outbox_killed_at_any_step_sends_once(contracts: Contracts, replaced: bool) -> None:
    """With `replaced` every transaction waits long enough at each look to be signed anew at a higher fee."""
    network, pool = contracts.network, pool_of(contracts.network)
    call = contracts.entitlements.encode_mint

    def drive(pool: Pool) -> None:
        sender = Sender(network, pool)
        for _ in range(60):
            if not OutboxTransaction.objects.filter(status__in=OPEN).exists():
                return
            if replaced:
                OutboxTransaction.objects.filter(status=Status.SENT).update(sent_at="2020-01-01T00:00:00Z")
            sender.step()
            pool.call("anvil_mine", "0x1")
        raise AssertionError("it does not end")

    for step in range(0, MOST_STEPS, STRIDE):
        OutboxTransaction.objects.all().delete()
        SendingAccount.objects.all().delete()
        with reorg_on(network) as undo:
            pool.call("evm_setAutomine", not replaced)
            try:
                for agent_id in (1, 2):
                    enqueue(network, "GRANT_KEY", call(CREATOR, agent_id, 0), f"grant:{agent_id}", "grant")
                granter = OutboxTransaction.objects.all()[0].sender
                before = int(pool.call("eth_getTransactionCount", granter, "latest"), 16)
                got_through = in_a_process_that_dies(network, step, drive)
                drive(pool)
            finally:
                pool.call("evm_setAutomine", True)
            rows = list(OutboxTransaction.objects.order_by("nonce"))
            assert [row.status for row in rows] == [Status.CONFIRMED] * 2, step
            assert [row.nonce for row in rows] == [before, before + 1], step
            assert int(pool.call("eth_getTransactionCount", granter, "latest"), 16) == before + 2, step
            logs = pool.call("eth_getLogs", {"fromBlock": "earliest", "address": contracts.entitlements.address})
            topic = contracts.entitlements.contract.artefact.interface.topic("EntitlementChanged")
            granted = [int(log["topics"][2], 16) for log in logs if log["topics"][0] == topic]
            assert sorted(granted) == [1, 2], step
            undo()
        if got_through:
            break
    assert got_through
    assert step > 60


# ---------------------------------------------------------------- the command itself


def environment() -> dict[str, str]:
    database = django_settings.DATABASES["default"]
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": f"postgresql://{database['USER']}@{database['HOST']}:{database['PORT']}/{connection.settings_dict['NAME']}",
    }


def wait_for(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_the_command_follows_the_chain_and_stops_when_told(contracts: Contracts, mine: Any) -> None:
    granted = enqueue(
        contracts.network, "GRANT_KEY", contracts.entitlements.encode_mint(CREATOR, 5, 0), "grant:5", "grant"
    )
    listening = subprocess.Popen(
        [sys.executable, "manage.py", "listen", "--network", "local"],
        cwd=ROOT,
        env=environment(),
        stderr=subprocess.PIPE,
    )
    try:
        wait_for(lambda: Event.objects.filter(name="MinterChanged").count() == 2)
        # What is in the outbox goes out, and what it caused on the chain comes back as an event.
        wait_for(lambda: Event.objects.filter(name="EntitlementChanged", args__agentId="5").exists())
        mine(contracts.network.confirmations)
        wait_for(lambda: OutboxTransaction.objects.get(pk=granted.pk).status == Status.CONFIRMED)
        wait_for(lambda: Event.objects.filter(name="EntitlementChanged", status="confirmed").exists())
        listening.send_signal(signal.SIGTERM)
        _, said = listening.communicate(timeout=15)
    finally:
        if listening.poll() is None:
            listening.kill()
            listening.communicate()
    assert listening.returncode == 0, said.decode()
    assert b"Traceback" not in said
