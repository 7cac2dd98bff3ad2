"""Endpoints and pools: what an answer means, and who is asked next."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chain.errors import (
    ChainError,
    IncompleteAnswerError,
    RangeTooLargeError,
    RateLimitedError,
    RpcError,
    RpcUnavailableError,
    WrongChainError,
)
from chain.networks import Network, default_network
from chain.rpc import connect
from chain.rpc.endpoint import Endpoint, http_transport
from chain.rpc.pool import Pool
from chain.rpc.provider import web3_on
from chain.rpc.wording import error_of
from tests.chain.fake_node import BEHIND_REFUSALS, RANGE_REFUSALS, RATE_REFUSALS

NETWORK = Network("base", "Base", 8453, ("http://one", "http://two"), 5, 2, "", "ETH", False)
Answer = Callable[[dict[str, Any]], Any]


def answering(*answers: Any) -> Callable[[bytes], tuple[int, bytes]]:
    """A transport that gives one answer after the other, and the last one for ever. An exception is raised, a tuple is
    (status, body), anything else is the result."""
    left = list(answers)

    def send(body: bytes) -> tuple[int, bytes]:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, tuple):
            return answer
        request = json.loads(body)
        return 200, json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer}).encode()

    return send


def by_method(answers: dict[str, Any]) -> Callable[[bytes], tuple[int, bytes]]:
    """A transport that answers each method with a fixed result."""

    def send(body: bytes) -> tuple[int, bytes]:
        request = json.loads(body)
        answer = answers[request["method"]]
        if isinstance(answer, BaseException):
            raise answer
        return 200, json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer}).encode()

    return send


# ---------------------------------------------------------------- wording


@pytest.mark.parametrize(("code", "message"), RANGE_REFUSALS)
def test_every_way_to_say_that_a_range_is_too_large(code: int, message: str) -> None:
    assert type(error_of(code, message, None, "eth_getLogs")) is RangeTooLargeError


@pytest.mark.parametrize(("code", "message"), RATE_REFUSALS)
@pytest.mark.parametrize("method", ["eth_getLogs", "eth_sendRawTransaction", "eth_call"])
def test_every_way_to_say_slow_down(code: int, message: str, method: str) -> None:
    assert type(error_of(code, message, None, method)) is RateLimitedError


@pytest.mark.parametrize(("code", "message"), BEHIND_REFUSALS)
def test_every_way_to_say_that_a_block_is_not_there_yet(code: int, message: str) -> None:
    assert type(error_of(code, message, None, "eth_getLogs")) is IncompleteAnswerError


@pytest.mark.parametrize(
    ("code", "message", "method"),
    [
        (3, "execution reverted", "eth_call"),
        (-32000, "nonce too low: next nonce 5, tx nonce 4", "eth_sendRawTransaction"),
        (-32000, "insufficient funds for gas * price + value", "eth_sendRawTransaction"),
        (-32000, "replacement transaction underpriced", "eth_sendRawTransaction"),
        (-32000, "already known", "eth_sendRawTransaction"),
        (-32602, "invalid argument 0", "eth_getBlockByNumber"),
    ],
)
def test_what_the_node_itself_refuses_is_handed_on(code: int, message: str, method: str) -> None:
    error = error_of(code, message, "0xdata", method)
    assert isinstance(error, RpcError)
    assert (error.rpc_code, error.data, error.message, error.permanent) == (code, "0xdata", message, True)


@pytest.mark.parametrize(
    ("code", "message"), [(-32601, "Method not found"), (-32000, "the method eth_x does not exist/is not available")]
)
def test_a_missing_method_has_one_code(code: int, message: str) -> None:
    error = error_of(code, message, None, "eth_x")
    assert isinstance(error, RpcError)
    assert error.rpc_code == -32601


# ---------------------------------------------------------------- endpoint


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (TimeoutError(), RpcUnavailableError),
        (ConnectionResetError(), RpcUnavailableError),
        ((502, b"<html>Bad Gateway</html>"), RpcUnavailableError),
        ((503, b"{}"), RpcUnavailableError),
        ((200, b"{"), RpcUnavailableError),
        ((429, b"slow down"), RateLimitedError),
        ((200, b"null"), IncompleteAnswerError),
        ((200, b"[]"), IncompleteAnswerError),
        ((200, b'{"jsonrpc":"2.0","id":1}'), IncompleteAnswerError),
        ((200, b'{"jsonrpc":"2.0","id":77,"result":"0x1"}'), IncompleteAnswerError),
        ((200, b'{"error":"overloaded, try again"}'), RpcUnavailableError),
        ((500, b'{"error":{"code":3,"message":"execution reverted"}}'), RpcError),
    ],
)
def test_each_kind_of_failure_has_its_error(answer: Any, error: type[ChainError]) -> None:
    with pytest.raises(error):
        Endpoint("http://node.example/key", answering(answer)).call("eth_blockNumber")


def test_an_error_never_shows_the_path_of_the_url() -> None:
    endpoint = Endpoint("https://node.example/v2/my-secret-key", answering(TimeoutError()))
    with pytest.raises(RpcUnavailableError) as caught:
        endpoint.call("eth_blockNumber")
    assert "secret" not in str(caught.value) + repr(endpoint)
    assert "node.example" in caught.value.message


def test_batches_keep_their_order_and_lose_nothing() -> None:
    def send(body: bytes) -> tuple[int, bytes]:
        requests = json.loads(body)
        answers = [{"id": each["id"], "result": each["params"][0]} for each in reversed(requests)]
        return 200, json.dumps(answers).encode()

    endpoint = Endpoint("http://x", send)
    assert endpoint.batch([("m", [number]) for number in range(250)]) == list(range(250))
    assert endpoint.batch([]) == []


@pytest.mark.parametrize("most", [1, 3, 10])
@pytest.mark.parametrize(
    "refusal", [(413, b"too large"), (400, b"{}"), (200, b'{"error":{"code":-32600,"message":"no"}}')]
)
def test_an_endpoint_that_takes_small_batches_gets_small_ones(most: int, refusal: tuple[int, bytes]) -> None:
    sizes: list[int] = []

    def send(body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        if isinstance(asked, dict):
            return 200, json.dumps({"id": asked["id"], "result": asked["params"][0]}).encode()
        sizes.append(len(asked))
        if len(asked) > most:
            return refusal
        return 200, json.dumps([{"id": each["id"], "result": each["params"][0]} for each in asked]).encode()

    endpoint = Endpoint("http://x", send)
    assert endpoint.batch([("m", [number]) for number in range(120)]) == list(range(120))
    refused = [size for size in sizes if size > most]
    assert len(refused) <= 4  # noticed once, not asked again and again
    assert endpoint.batch([("m", [number]) for number in range(5)]) == list(range(5))


@pytest.mark.parametrize("broken", ["lost", "doubled", "string"])
def test_an_incomplete_batch_is_noticed(broken: str) -> None:
    def send(body: bytes) -> tuple[int, bytes]:
        answers: Any = [{"id": each["id"], "result": 1} for each in json.loads(body)]
        if broken == "lost":
            answers.pop()
        elif broken == "doubled":
            answers[0]["id"] = answers[1]["id"]
        else:
            answers = "ok"
        return 200, json.dumps(answers).encode()

    with pytest.raises(IncompleteAnswerError):
        Endpoint("http://x", send).batch([("m", [1]), ("m", [2]), ("m", [3])])


# ---------------------------------------------------------------- over HTTP


class _Server:
    """An HTTP server whose answers a test decides."""

    def __init__(self) -> None:
        self.answer: Callable[[BaseHTTPRequestHandler, bytes], None] = lambda handler, body: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/path-with-key"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server()
    yield made
    made.close()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_a_real_answer_arrives(server: _Server) -> None:
    server.answer = lambda handler, body: reply(
        handler, 200, json.dumps({"id": json.loads(body)["id"], "result": "0x10"}).encode()
    )
    assert Endpoint(server.url).call("eth_blockNumber") == "0x10"


def test_a_slow_answer_is_a_timeout(server: _Server) -> None:
    hold = threading.Event()
    server.answer = lambda handler, body: (hold.wait(10), None)[1]
    endpoint = Endpoint(server.url, read_seconds=0.1)
    with pytest.raises(RpcUnavailableError, match="did not answer in time"):
        endpoint.call("eth_blockNumber")
    hold.set()


def test_a_closed_connection_and_a_closed_port_are_unavailable(server: _Server) -> None:
    server.answer = lambda handler, body: handler.connection.shutdown(socket.SHUT_RDWR)
    with pytest.raises(RpcUnavailableError, match="cannot be reached"):
        Endpoint(server.url).call("eth_blockNumber")
    with pytest.raises(RpcUnavailableError, match="cannot be reached"):
        Endpoint("http://127.0.0.1:9").call("eth_blockNumber")


def test_redirects_are_not_followed(server: _Server) -> None:
    server.answer = lambda handler, body: reply(handler, 302, b"", Location="http://127.0.0.1:9/")
    with pytest.raises(RpcUnavailableError, match="answered 302"):
        Endpoint(server.url).call("eth_blockNumber")


def test_an_endless_answer_is_cut_off(server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chain.rpc.endpoint.MAX_ANSWER_BYTES", 1000)
    server.answer = lambda handler, body: reply(handler, 200, b" " * 5000)
    with pytest.raises(ConnectionError, match="too large"):
        http_transport(server.url)(b"{}")


# ---------------------------------------------------------------- pool


def pool(*transports: Callable[[bytes], tuple[int, bytes]], now: list[float] | None = None) -> Pool:
    endpoints = [Endpoint(f"http://n{number}", transport) for number, transport in enumerate(transports)]
    clock = now or [0.0]
    return Pool(NETWORK, endpoints, clock=lambda: clock[0])


GOOD = {"eth_chainId": hex(8453), "eth_blockNumber": "0x5"}


@pytest.mark.parametrize(
    "first",
    [
        {"eth_chainId": TimeoutError()},
        {**GOOD, "eth_blockNumber": ConnectionError()},
        {"eth_chainId": "0x1"},
        {"eth_chainId": None},
    ],
)
def test_the_next_endpoint_takes_over(first: dict[str, Any]) -> None:
    second = by_method({**GOOD, "eth_blockNumber": "0x6"})
    assert pool(by_method(first), second).call("eth_blockNumber") == "0x6"


def test_a_failing_endpoint_rests_and_comes_back() -> None:
    now = [0.0]
    answers: dict[str, Any] = {**GOOD, "eth_blockNumber": TimeoutError()}
    both = pool(by_method(answers), by_method({**GOOD, "eth_blockNumber": "0x6"}), now=now)
    assert both.call("eth_blockNumber") == "0x6"
    answers["eth_blockNumber"] = "0x5"
    assert both.call("eth_blockNumber") == "0x6"  # still resting
    now[0] = 1.1
    assert both.call("eth_blockNumber") == "0x5"


def test_the_pause_grows_to_a_minute_at_most() -> None:
    now = [0.0]
    tired = pool(by_method({**GOOD, "eth_blockNumber": TimeoutError()}), now=now)
    pauses = []
    for _ in range(9):
        with pytest.raises(RpcUnavailableError):
            tired.call("eth_blockNumber")
        pauses.append(tired._members[0].paused_until - now[0])
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_what_a_node_refuses_is_not_asked_of_the_next() -> None:
    revert = (200, b'{"id":2,"error":{"code":3,"message":"execution reverted","data":"0x01"}}')

    def first(body: bytes) -> tuple[int, bytes]:
        return by_method(GOOD)(body) if b"eth_chainId" in body else revert

    def second(body: bytes) -> tuple[int, bytes]:
        raise AssertionError("asked although the first had answered")

    with pytest.raises(RpcError, match="execution reverted"):
        pool(first, second).call("eth_call", {}, "latest")


def test_when_all_are_on_another_chain_it_says_so() -> None:
    with pytest.raises(WrongChainError, match=r"n\d is on chain 1, but Base is chain 8453\. Correct the RPC URL"):
        pool(by_method({"eth_chainId": "0x1"}), by_method({"eth_chainId": "0x1"})).call("eth_blockNumber")


def test_one_wrong_and_one_dead_is_unavailable() -> None:
    with pytest.raises(RpcUnavailableError):
        pool(by_method({"eth_chainId": TimeoutError()}), by_method({"eth_chainId": "0x1"})).call("eth_blockNumber")


def test_the_chain_is_checked_again_after_a_failure() -> None:
    answers: dict[str, Any] = dict(GOOD)
    one = pool(by_method(answers))
    assert one.call("eth_blockNumber") == "0x5"
    answers["eth_blockNumber"] = TimeoutError()
    with pytest.raises(RpcUnavailableError):
        one.call("eth_blockNumber")
    answers.update({"eth_blockNumber": "0x9", "eth_chainId": "0x1"})
    with pytest.raises(WrongChainError):
        one.call("eth_blockNumber")


# ---------------------------------------------------------------- web3


def test_web3_speaks_through_the_pool() -> None:
    web3 = connect(default_network())
    assert web3.eth.chain_id == 31337
    assert web3.is_connected()
    assert connect(default_network()) is web3


def test_web3_raises_our_errors_for_transport_and_its_own_for_the_node() -> None:
    from web3.exceptions import Web3RPCError

    dead = web3_on(pool(by_method({"eth_chainId": TimeoutError()})))
    assert not dead.is_connected()
    with pytest.raises(RpcUnavailableError):
        _ = dead.eth.block_number
    with pytest.raises(Web3RPCError):
        connect(default_network()).manager.request_blocking("eth_nonsense", [])  # type: ignore[arg-type]
