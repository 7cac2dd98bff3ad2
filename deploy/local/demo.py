"""The main job once, through the public HTTP API and WebSocket alone, with two generated wallets.

A creator signs in and publishes an agent; a buyer signs in, pays for it on the local chain, runs it, watches its log
live and reads the result. Each step prints what it saw.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import docker
import requests
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3
from web3.types import TxParams
from websockets.sync.client import connect

from deploy.local.platform import Site
from deploy.local.supervisor import ProcessError

CONTAINER_AGENT, WASM_AGENT = "text-digest", "json-patch"
TEN_ETH = 10 * 10**18


class DemoError(ProcessError):
    """A step did not give what it must; the message says which and what came instead."""


@dataclass(slots=True)
class Step:
    """Prints a numbered step and its seconds."""

    number: int = 0

    def __call__(self, title: str) -> Callable[[str], None]:
        self.number += 1
        began = time.monotonic()
        number = self.number
        print(f"\n{number}. {title}", flush=True)

        def tell(figures: str) -> None:
            print(f"   {figures}  [{time.monotonic() - began:.2f} s]", flush=True)

        return tell


class Client:
    """A person with a wallet who uses the API."""

    def __init__(self, site: str, account: LocalAccount) -> None:
        self.site = site
        self.account = account
        self.http = requests.Session()
        self.token = ""

    def call(self, method: str, path: str, expect: int, body: Any = None, **headers: str) -> Any:
        """One API call; DemoError unless it answers with the expected status."""
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data: dict[str, Any] = {"json": body}
        if isinstance(body, bytes):
            data = {"data": body}
            headers["Content-Type"] = "application/wasm"
        answer = self.http.request(method, f"{self.site}/api/v1{path}", headers=headers, timeout=30, **data)
        if answer.status_code != expect:
            raise DemoError(f"{method} {path} answered {answer.status_code} instead of {expect}: {answer.text[:600]}")
        return answer.json() if answer.content else None

    def sign_in(self) -> str:
        """Sign in with Ethereum; the access token is kept for later calls. Returns the user's name."""
        challenge = self.call("POST", "/auth/siwe/nonce", 200, {"address": self.account.address})
        message = challenge["message"]
        signed = self.account.sign_message(encode_defunct(text=message))
        body = {"message": message, "signature": Web3.to_hex(signed.signature), "mode": "token"}
        answer = self.call("POST", "/auth/siwe/verify", 200, body)
        self.token = answer["access"]
        return str(answer["user"]["id"])

    def send(self, web3: Web3, transaction: dict[str, Any]) -> Any:
        """Sign and send a transaction the API prepared; returns its receipt."""
        call: dict[str, Any] = {
            "to": transaction["to"],
            "data": transaction["data"],
            "value": int(transaction["value"], 16),
            "chainId": transaction["chainId"],
            "from": self.account.address,
            "nonce": web3.eth.get_transaction_count(self.account.address),
            "maxFeePerGas": web3.eth.gas_price * 2,
            "maxPriorityFeePerGas": web3.to_wei(1, "gwei"),
        }
        call["gas"] = web3.eth.estimate_gas(cast("TxParams", call)) * 12 // 10
        sent = web3.eth.send_raw_transaction(self.account.sign_transaction(call).raw_transaction)
        receipt = web3.eth.wait_for_transaction_receipt(sent, timeout=60, poll_latency=0.1)
        if receipt["status"] != 1:
            raise DemoError(f"The transaction {sent.to_0x_hex()} failed on the chain.")
        return receipt


def perform(site: Site) -> None:
    """Do the main job once and print it. Raises DemoError at the first step that goes wrong."""
    web3 = Web3(HTTPProvider(site.env["CHAIN_RPC_URL"]))
    creator, buyer = (Client(site.url, Account.create()) for _ in range(2))
    with own_repository(site, creator) as repository:
        _perform(site, web3, creator, buyer, repository)


@contextmanager
def own_repository(site: Site, creator: Client) -> Iterator[str]:
    """The sample's image in a repository of the creator's own, for as long as it is needed: a repository belongs to
    the creator who first published from it. "" without a Docker engine."""
    if not site.has_docker:
        yield ""
        return
    repository = f"agentnexus/{CONTAINER_AGENT}-{creator.account.address[2:10].lower()}"
    image_id = _sample(site.built_agents, CONTAINER_AGENT)["image"].rpartition("@")[2]
    client = docker.DockerClient(base_url=site.env["DOCKER_HOST"], timeout=20)
    try:
        client.images.get(image_id).tag(repository, tag="demo")
        try:
            yield repository
        finally:
            client.images.remove(f"{repository}:demo", noprune=True)
    finally:
        client.close()


def _sample(built_agents: Path, slug: str) -> dict[str, Any]:
    samples: list[dict[str, Any]] = json.loads(built_agents.read_text())
    return next(item for item in samples if item["slug"] == slug)


def _perform(site: Site, web3: Web3, creator: Client, buyer: Client, repository: str) -> None:
    began = time.monotonic()
    step = Step()

    tell = step("Two new wallets, ETH from the local chain")
    for client in (creator, buyer):
        web3.provider.make_request("anvil_setBalance", [client.account.address, hex(TEN_ETH)])  # type: ignore[arg-type]
    tell(f"creator {creator.account.address}, buyer {buyer.account.address}, 10 ETH each")

    tell = step("Sign in with Ethereum")
    tell(f"creator is user {creator.sign_in()}, buyer is user {buyer.sign_in()}")

    tell = step("The creator publishes an agent")
    agent = publish(creator, site.built_agents, CONTAINER_AGENT if site.has_docker else WASM_AGENT, repository)
    slug = agent["slug"]
    tell(f"{agent['name']} at {site.url}/agents/{slug}/ (on-chain id {agent['onchain_id']})")

    tell = step("The buyer asks for a quote and deposits the price in escrow")
    purchase, receipt, clicked = buy(buyer, web3, slug)
    tell(
        f"{purchase['amount_display']}, transaction {receipt['transactionHash'].to_0x_hex()}, "
        f"block {receipt['blockNumber']}, gas {receipt['gasUsed']:,}"
    )

    tell = step("The listener reads the deposit from the chain and access becomes active")
    wait_for_status(buyer, f"/purchases/{purchase['id']}", "active", 60)
    tell(f"purchase {purchase['id']} is active, {time.monotonic() - clicked:.2f} s after the click")

    tell = step("The buyer runs the agent and watches its log live")
    execution, first_line = run_agent(buyer, slug, agent["example_input"])
    tell(f"execution {execution['id']}: {execution['status']}; first line after {first_line:.2f} s")

    print("\nOutput:\n" + json.dumps(execution["output"], indent=2, ensure_ascii=False)[:3000])
    print(f"\nThe main job took {time.monotonic() - began:.1f} s.", flush=True)


def publish(creator: Client, built_agents: Path, slug: str, repository: str = "") -> dict[str, Any]:
    """Create an agent from the sample's manifest and its module, or its image in the creator's own `repository`; add
    its version, publish it."""
    sample = _sample(built_agents, slug)
    manifest = sample["manifest"]
    terms = {
        "name": f"{manifest['name']} by {creator.account.address[:8]}",
        "tagline": manifest["tagline"],
        "description": manifest["description"],
        "category": manifest["category"],
        "access_duration": manifest["access_duration"],
        "prices": {"ETH": str(2 * 10**15)},
    }
    agent = creator.call("POST", "/agents", 201, terms)
    version = {key: manifest[key] for key in ("number", "input_schema", "output_schema", "example_input")}
    if sample["module"]:
        sent = creator.call("POST", "/modules", 201, Path(sample["module"]).read_bytes())
        runs = {"module": sent["sha256"]}
    else:
        runs = {"image": f"{repository}@{sample['image'].rpartition('@')[2]}"}
    creator.call("POST", f"/agents/{agent['slug']}/versions", 201, version | runs)
    published = creator.call("POST", f"/agents/{agent['slug']}/publish", 200)
    wait_until_checked(creator, agent["slug"])
    return {**published, "example_input": manifest["example_input"]}


def buy(buyer: Client, web3: Web3, slug: str) -> tuple[dict[str, Any], Any, float]:
    """Quote and deposit. Returns the purchase, the deposit's receipt and when the buyer clicked."""
    clicked = time.monotonic()
    body = {"agent": slug, "token": "ETH", "payer": buyer.account.address}
    purchase = buyer.call("POST", "/purchases", 201, body, **{"Idempotency-Key": f"demo-{time.time_ns()}"})
    receipt = None
    for transaction in purchase["transactions"]:
        receipt = buyer.send(web3, transaction)
    if receipt is None:
        raise DemoError("The quote came without a transaction to send.")
    return purchase, receipt, clicked


def wait_until_checked(creator: Client, slug: str, seconds: float = 60) -> None:
    """Ask until the image of the newest version is accepted."""
    deadline = time.monotonic() + seconds
    while True:
        newest = creator.call("GET", f"/agents/{slug}/versions", 200)["results"][0]
        if newest["verdict"] == "accepted":
            return
        if newest["verdict"] == "refused" or time.monotonic() > deadline:
            raise DemoError(f"The image is {newest['verdict']}. {newest['verdict_reason']}")
        time.sleep(0.1)


def wait_for_status(client: Client, path: str, wanted: str, seconds: float) -> dict[str, Any]:
    """Ask until the resource has the wanted status."""
    deadline = time.monotonic() + seconds
    while True:
        row: dict[str, Any] = client.call("GET", path, 200)
        if row["status"] == wanted:
            return row
        if time.monotonic() > deadline:
            raise DemoError(f"{path} is still {row['status']} after {seconds:.0f} s; see .data/logs/listener.log.")
        time.sleep(0.2)


def run_agent(buyer: Client, slug: str, example: Any) -> tuple[dict[str, Any], float]:
    """Request an execution and follow its socket to the end. Returns it and the seconds to its first log line."""
    asked = time.monotonic()
    body = {"agent": slug, "input": example}
    execution = buyer.call("POST", "/executions", 201, body, **{"Idempotency-Key": f"demo-{time.time_ns()}"})
    address = f"{buyer.site.replace('http', 'ws', 1)}/ws/executions/{execution['id']}/?after=0"
    first_line = 0.0
    seen = 0
    with connect(address, additional_headers={"Authorization": f"Bearer {buyer.token}"}, open_timeout=10) as socket:
        while True:
            message = json.loads(socket.recv(timeout=120))
            for line in message.get("lines", []):
                first_line = first_line or time.monotonic() - asked
                if line["seq"] != seen + 1:
                    raise DemoError(f"Log line {line['seq']} came after line {seen}.")
                seen = line["seq"]
                print(f"   +{time.monotonic() - asked:5.2f} s  {line['stream']:>6}  {line['text'][:140]}", flush=True)
            if message["type"] == "end":
                ended: dict[str, Any] = message["execution"]
                if ended["status"] != "succeeded":
                    raise DemoError(f"The execution ended as {ended['status']}: {ended.get('error') or ended}")
                return ended, first_line
