"""How fast events are indexed, and how soon a deposit is known: `python -m tests.bench.bench_chain [EVENTS]`.

Indexing is measured over a chain with at least that many events of ours (20,000 unless said otherwise), against a bare
loop of eth_getLogs and decoding with web3.py over the same blocks in the same run; a second figure sets it against the
leanest loop there is, our own transport and decoder without any of the rest. Latency is measured on a chain with blocks
of 2 seconds, from the moment a block with a deposit is the node's head until its event is committed to the database.
"""

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from deploy.local.engines import Anvil, Postgres, Valkey

EVENTS = 20_000
EVENTS_PER_GRANT = 2  # EntitlementChanged and the ERC-1155 transfer
GRANTS_PER_BLOCK = 50
WINDOW = 500
GAS = 150_000
ROUNDS = 3
DEPOSITS = 8
BLOCK_SECONDS = 2


def main(count: int) -> None:
    """Start engines of its own, measure, print, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="agentnexus-bench-"))
    folder.chmod(0o755)
    engines = [Postgres(folder), Valkey(folder), Anvil(folder)]
    for engine in engines:
        engine.start()
    try:
        os.environ["DATABASE_URL"], os.environ["REDIS_URL"], os.environ["CHAIN_RPC_URL"] = (e.url for e in engines)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        from chain import events

        events._subscriptions = defaultdict(list)  # the chain's own work is measured, without the rooms above
        call_command("migrate", verbosity=0)
        _deploy_quietly("local")
        _fill(count)
        _measure_indexing()
        _measure_latency(folder)
        connections.close_all()
    finally:
        for engine in reversed(engines):
            engine.stop()


def _fill(count: int) -> None:
    """Grants to ever new holders, many to a block."""
    from chain.bindings.entitlements import Entitlements
    from chain.keys import get_signer
    from chain.networks import default_network
    from chain.rpc.endpoint import http_transport

    network = default_network()
    send = http_transport(network.rpc_urls[0])

    def batch(calls: list[tuple[str, list[Any]]]) -> None:
        body = [{"jsonrpc": "2.0", "id": n, "method": m, "params": p} for n, (m, p) in enumerate(calls)]
        answers = json.loads(send(json.dumps(body).encode())[1])
        failed = [answer["error"] for answer in answers if "error" in answer]
        if failed:
            raise SystemExit(f"the chain cannot be filled: {failed[0]}")

    entitlements = Entitlements.for_network(network)
    granter = get_signer("GRANT_KEY", network).address
    batch([("evm_setAutomine", [False])])
    made = 0
    while made * EVENTS_PER_GRANT < count:
        calls: list[tuple[str, list[Any]]] = []
        for _ in range(GRANTS_PER_BLOCK):
            call = entitlements.encode_mint(f"0x{0xA0000000 + made:040x}", made % 50 + 1, 0)
            request = {
                "from": granter,
                "to": call.to,
                "data": "0x" + call.data.hex(),
                "gas": hex(GAS),
                "nonce": hex(made),
                "maxFeePerGas": hex(10**10),
            }
            calls.append(("eth_sendTransaction", [request]))
            made += 1
        batch([*calls, ("anvil_mine", ["0x1"])])
    batch([("evm_setAutomine", [True]), ("anvil_mine", ["0x80"])])


def _measure_indexing() -> None:
    ours = [_index() for _ in range(ROUNDS)]
    web3_loop = [_web3_loop() for _ in range(ROUNDS)]
    lean_loop = [_lean_loop() for _ in range(ROUNDS)]
    best, count = min(seconds for seconds, _ in ours), ours[0][1]
    assert {found for _, found in (*ours, *web3_loop, *lean_loop)} == {count}
    _rate("chain_index_events", count, best, min(seconds for seconds, _ in web3_loop), 0.5)
    _rate("chain_index_events_beside_leanest", count, best, min(seconds for seconds, _ in lean_loop), 0.2)


def _index() -> tuple[float, int]:
    """Everything: verified reading, decoding, storing, confirming, from an empty database."""
    from chain.listener import Listener
    from chain.models import Block, Cursor, Event
    from chain.networks import default_network

    for model in (Event, Block, Cursor):
        model.objects.all().delete()
    listener = Listener(default_network())
    start = time.perf_counter()
    while listener.step():
        pass
    return time.perf_counter() - start, Event.objects.count()


def _web3_loop() -> tuple[float, int]:
    from web3 import HTTPProvider, Web3

    from chain import artefacts
    from chain.models import Deployment
    from chain.networks import default_network

    web3 = Web3(HTTPProvider(default_network().rpc_urls[0]))
    rows = Deployment.objects.filter(contract__in=[artefacts.ESCROW, artefacts.ENTITLEMENTS])
    decoders: dict[bytes, Any] = {}
    for row in rows:
        contract = web3.eth.contract(abi=artefacts.load(row.contract).abi)
        for name in artefacts.load(row.contract).interface.event_names():
            event = contract.events[name]()
            decoders[bytes.fromhex(event.topic.removeprefix("0x"))] = event
    addresses: list[Any] = [row.address for row in rows]
    start = time.perf_counter()
    head, found = web3.eth.block_number, 0
    for first in range(0, head + 1, WINDOW):
        span: Any = {"fromBlock": first, "toBlock": min(head, first + WINDOW - 1), "address": addresses}
        for log in web3.eth.get_logs(span):
            decoders[bytes(log["topics"][0])].process_log(log)
            found += 1
    return time.perf_counter() - start, found


def _lean_loop() -> tuple[float, int]:
    from chain import artefacts
    from chain.listener.node import Node
    from chain.models import Deployment
    from chain.networks import default_network
    from chain.rpc.endpoint import Endpoint

    endpoint = Endpoint(default_network().rpc_urls[0])
    rows = Deployment.objects.filter(contract__in=[artefacts.ESCROW, artefacts.ENTITLEMENTS])
    interfaces = {bytes.fromhex(row.address[2:]): artefacts.load(row.contract).interface for row in rows}
    addresses = [row.address for row in rows]
    start = time.perf_counter()
    head, found = Node(endpoint).head().number, 0
    for first in range(0, head + 1, WINDOW):
        for log in Node(endpoint).logs(first, min(head, first + WINDOW - 1), addresses):
            interfaces[log.address].decode_log(log.topics, log.data)
            found += 1
    return time.perf_counter() - start, found


def _measure_latency(folder: Path) -> None:
    """A listener as in production beside a chain that makes a block every two seconds."""
    from django.conf import settings
    from django.db import connection

    from chain.listener.run import Follower
    from chain.models import Event
    from chain.networks import get_network

    slow_folder = folder / "slow"
    slow_folder.mkdir()
    slow = Anvil(slow_folder)
    slow.start()
    settings.NETWORKS["slow"] = {
        **settings.NETWORKS["local"],
        "name": "Slow",
        "rpc_urls": [slow.url],
        "block_time": BLOCK_SECONDS,
        "is_local": True,
    }
    network = get_network("slow")
    stop = threading.Event()
    try:
        _deploy_quietly("slow")
        slow.mine_every(BLOCK_SECONDS)
        follower = threading.Thread(target=Follower(network, stop).run)
        follower.start()
        seen, confirmed = [], []
        for number in range(DEPOSITS):
            block, head_at = _deposit(network, number)
            seen.append(_until(lambda b=block: Event.objects.filter(network="slow", block_number=b).exists()) - head_at)
            done = _until(
                lambda b=block: Event.objects.filter(network="slow", block_number=b, status="confirmed").exists()
            )
            confirmed.append(done - head_at)
        stop.set()
        follower.join()
    finally:
        stop.set()
        slow.stop()
        connection.close()
    wait = network.confirmations * BLOCK_SECONDS
    _latency("chain_head_to_seen_p50", statistics.median(seen), 0, BLOCK_SECONDS)
    _latency("chain_head_to_active_p50", statistics.median(confirmed), wait, wait + BLOCK_SECONDS)
    _latency("chain_head_to_active_max", max(confirmed), wait, wait + BLOCK_SECONDS)


def _deploy_quietly(slug: str) -> None:
    from django.core.management import call_command

    with Path(os.devnull).open("w") as nowhere:
        call_command("deploy_contracts", slug, stdout=nowhere)


def _deposit(network: Any, number: int) -> tuple[int, float]:
    """Pay a quote; the block that it is in, and when that became the node's head."""
    from chain.bindings.escrow import Escrow, Quote
    from chain.rpc import pool_of
    from chain.tokens import NATIVE

    pool, escrow = pool_of(network), Escrow.for_network(network)
    payer = pool.call("eth_accounts")[9]
    quote = Quote(7, payer, NATIVE, NATIVE, NATIVE, 1000, 86_400, int(time.time()) + 900, "0x" + f"{number:064x}")
    call = escrow.encode_deposit(quote, escrow.sign_quote(quote))
    request = {"from": payer, "to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
    sent = pool.call("eth_sendTransaction", request)
    while (receipt := pool.call("eth_getTransactionReceipt", sent)) is None:
        time.sleep(0.005)
    return int(receipt["blockNumber"], 16), time.perf_counter()


def _until(condition: Any) -> float:
    deadline = time.perf_counter() + 60
    while not condition():
        if time.perf_counter() > deadline:
            raise SystemExit("the listener does not follow")
        time.sleep(0.005)
    return time.perf_counter()


def _rate(name: str, count: int, ours: float, baseline: float, goal: float) -> None:
    ratio = baseline / ours
    verdict = "ok" if ratio >= goal else "short"
    rates = f"{count / ours:.0f} events/s baseline {count / baseline:.0f}"
    _figure(name, f"{rates} ratio {ratio:.2f} goal {goal} {verdict}")


def _latency(name: str, ours: float, baseline: float, goal: float) -> None:
    verdict = "ok" if ours <= goal else "short"
    ratio = ours / baseline if baseline else 0
    _figure(name, f"{ours:.2f} s baseline {baseline:.2f} ratio {ratio:.2f} goal {goal:.2f} {verdict}")


def _figure(name: str, text: str) -> None:
    print(f"figure {name} {text}", flush=True)  # noqa: T201  a benchmark's output


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
