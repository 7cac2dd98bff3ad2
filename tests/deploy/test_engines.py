"""The embedded engines: data survives a stop and a kill, nothing is left running."""

import signal
import socket
from pathlib import Path

import psycopg
import pytest
import redis
from web3 import HTTPProvider, Web3

from deploy.local.engines import Anvil, Engine, EngineError, Postgres, Valkey, free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engines")


def test_postgres_keeps_data_over_a_kill_and_has_pgvector(folder: Path) -> None:
    # given
    engine = Postgres(folder)
    engine.start()
    with psycopg.connect(engine.url) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute("CREATE TABLE kept AS SELECT '[1,2,3]'::vector AS v")
    # when
    assert engine.process is not None
    engine.process.send_signal(signal.SIGKILL)
    engine.process.wait()
    engine.start()
    # then
    with psycopg.connect(engine.url) as connection:
        assert connection.execute("SELECT v::text FROM kept").fetchone() == ("[1,2,3]",)
    engine.stop()
    assert engine.process.returncode == 0


def test_valkey_keeps_data_over_a_restart(folder: Path) -> None:
    engine = Valkey(folder)
    engine.start()
    redis.Redis(port=engine.port).set("kept", "yes")
    engine.stop()
    engine.start()
    assert redis.Redis(port=engine.port).get("kept") == b"yes"
    engine.stop()


def test_anvil_keeps_its_blocks_over_a_restart(folder: Path) -> None:
    # given
    engine = Anvil(folder, state=True)
    engine.start()
    web3 = Web3(HTTPProvider(engine.url))
    sender, receiver = list(web3.eth.accounts)[:2]
    sent = web3.eth.send_transaction({"from": sender, "to": receiver, "value": web3.to_wei(1, "ether")})
    block = web3.eth.wait_for_transaction_receipt(sent)["blockHash"]
    # when
    engine.stop()
    engine.start()
    # then
    web3 = Web3(HTTPProvider(engine.url))
    assert web3.eth.get_transaction_receipt(sent)["blockHash"] == block
    assert web3.eth.get_balance(receiver) == web3.to_wei(10_001, "ether")
    engine.stop()


@pytest.mark.parametrize("kind", [Postgres, Valkey, Anvil])
def test_engines_listen_on_loopback_only(kind: type[Engine], folder: Path) -> None:
    engine = kind(folder)
    engine.start()
    try:
        listening = [
            line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
        ]
        assert f"0100007F:{engine.port:04X}" in listening
        assert f"00000000:{engine.port:04X}" not in listening
    finally:
        engine.stop()


def test_an_engine_that_cannot_start_names_its_log(folder: Path) -> None:
    # given a port that is taken after the engine chose it
    engine = Anvil(folder)
    with socket.create_server(("127.0.0.1", engine.port)):
        # then the engine that cannot bind it is not mistaken for a running one
        engine.ready = lambda: False  # type: ignore[method-assign]
        # when
        with pytest.raises(EngineError, match=r"anvil stopped with exit code 1; its log is .*anvil\.log"):
            engine.start()


def test_a_preferred_port_in_use_is_replaced(folder: Path) -> None:
    engine = Valkey(folder)
    engine.start()
    try:
        assert free_port(engine.port) != engine.port
    finally:
        engine.stop()
