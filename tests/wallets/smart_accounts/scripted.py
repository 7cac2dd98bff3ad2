"""A bundler over HTTP that behaves as badly as it is told: silence, garbage, refusals, lies."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chain.networks import default_network
from wallets.smart_accounts.entry_point import ENTRY_POINT

SILENCE = object()  # the connection is closed without a byte
GARBAGE = object()


class Refusal(Exception):  # noqa: N818  an answer, not an error of ours
    """A JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class ScriptedBundler:
    """Answers by method: a value, SILENCE, GARBAGE, a Refusal, or a function of the params that gives one."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[Any]]] = []
        self.answers: dict[str, Any] = {
            "eth_chainId": hex(default_network().chain_id),
            "eth_supportedEntryPoints": [ENTRY_POINT],
            "eth_getUserOperationReceipt": None,
            "eth_getUserOperationByHash": None,
            "eth_estimateUserOperationGas": {
                "callGasLimit": hex(100_000),
                "verificationGasLimit": hex(400_000),
                "preVerificationGas": hex(60_000),
            },
        }
        self.url = ""

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(called == method for called, _ in self.calls)

    def answer(self, method: str, params: list[Any]) -> Any:
        """What the script says."""
        self.calls.append((method, params))
        found = self.answers.get(method, Refusal(-32601, "Method not found"))
        return found(params) if isinstance(found, Callable) else found  # type: ignore[arg-type]


@contextmanager
def scripted_bundler() -> Iterator[ScriptedBundler]:
    """A running one."""
    script = ScriptedBundler()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                result = script.answer(asked["method"], asked["params"])
                if isinstance(result, Refusal):
                    raise result
            except Refusal as refusal:
                self._send({"id": asked["id"], "error": {"code": refusal.code, "message": str(refusal)}})
                return
            if result is SILENCE:
                self.close_connection = True
                return
            self._send(b"<html>upstream</html>" if result is GARBAGE else {"id": asked["id"], "result": result})

        def _send(self, answer: Any) -> None:
            body = answer if isinstance(answer, bytes) else json.dumps({"jsonrpc": "2.0", **answer}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
