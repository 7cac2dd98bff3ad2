"""One JSON-RPC endpoint over HTTP: a call, or a batch of calls, in; a result or a typed error out."""

import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import urllib3

from chain.errors import ChainError, IncompleteAnswerError, RateLimitedError, RpcUnavailableError
from chain.rpc.wording import error_of

CONNECT_SECONDS = 3.0
READ_SECONDS = 15.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
BATCH_SIZE = 100

Call = tuple[str, list[Any]]
# Takes the body of a request, gives status and body of the answer; raises TimeoutError or OSError.
Transport = Callable[[bytes], tuple[int, bytes]]


class Endpoint:
    """A JSON-RPC endpoint. Safe to use from several threads."""

    def __init__(self, url: str, transport: Transport | None = None, read_seconds: float = READ_SECONDS) -> None:
        self.name = urlsplit(url).hostname or url  # never the path: it carries the key at many providers
        self._send = transport or http_transport(url, read_seconds)
        self._ids = itertools.count(1)
        self._batch_size = BATCH_SIZE

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call.

        Raises RpcUnavailableError (timeouts, refused connections, 5xx, no JSON), RateLimitedError, RangeTooLargeError,
        IncompleteAnswerError, or RpcError for what the node itself refuses.
        """
        request = self._request(method, list(params))
        answer = self._exchange(json.dumps(request).encode())
        if not isinstance(answer, dict):
            raise IncompleteAnswerError(f"{self.name} did not answer {method} with an object.")
        return self._result(answer, request)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """The results of `calls`, in their order; an error of one is raised. Endpoints that take no, or only small,
        batches are noticed and asked in the size that they take."""
        results: list[Any] = []
        while len(results) < len(calls):
            part = calls[len(results) : len(results) + self._batch_size]
            if len(part) == 1 or self._batch_size == 1:
                results.append(self.call(part[0][0], *part[0][1]))
                continue
            answered = self._batch_part(part)
            if answered is None:
                self._batch_size = max(1, len(part) // 4)
                continue
            results += answered
        return results

    def _batch_part(self, part: Sequence[Call]) -> list[Any] | None:
        """The results, or None when the endpoint refuses batches of this size."""
        requests = [self._request(method, params) for method, params in part]
        try:
            answers = self._exchange(json.dumps(requests).encode())
        except _RefusedError:
            return None
        if isinstance(answers, dict):
            error = answers.get("error")
            if isinstance(error, dict) and "rate" in str(error.get("message", "")).lower():
                raise RateLimitedError(f"{self.name} limits how much it may be asked.")
            return None
        if not isinstance(answers, list):
            raise IncompleteAnswerError(f"{self.name} did not answer a batch with a list.")
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        if len(by_id) != len(requests) or any(request["id"] not in by_id for request in requests):
            raise IncompleteAnswerError(f"{self.name} answered {len(by_id)} of {len(requests)} calls.")
        return [self._result(by_id[request["id"]], request) for request in requests]

    def _request(self, method: str, params: list[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}

    def _exchange(self, body: bytes) -> Any:
        try:
            status, content = self._send(body)
        except TimeoutError as exc:
            raise RpcUnavailableError(f"{self.name} did not answer in time.") from exc
        except OSError as exc:
            raise RpcUnavailableError(f"{self.name} cannot be reached.") from exc
        if status == 429:
            raise RateLimitedError(f"{self.name} limits how much it may be asked.")
        try:
            answer = json.loads(content)
        except ValueError as exc:
            if status in (400, 413) and body.startswith(b"["):
                raise _RefusedError(f"{self.name} refuses the batch ({status}).") from exc
            raise RpcUnavailableError(f"{self.name} answered {status} without JSON.") from exc
        if status in (400, 413) and body.startswith(b"["):
            raise _RefusedError(f"{self.name} refuses the batch ({status}).")
        if status >= 500 and not (isinstance(answer, dict) and isinstance(answer.get("error"), dict)):
            raise RpcUnavailableError(f"{self.name} answered {status}.")
        return answer

    def _result(self, answer: dict[str, Any], request: dict[str, Any]) -> Any:
        if "error" in answer and answer["error"] is not None:
            raise self._error(answer["error"], request["method"])
        if "result" not in answer or answer.get("id") != request["id"]:
            raise IncompleteAnswerError(f"{self.name} gave {request['method']} neither result nor error.")
        return answer["result"]

    @staticmethod
    def _error(error: Any, method: str) -> ChainError:
        if not isinstance(error, dict):
            return error_of(0, str(error), None, method)
        code = error.get("code")
        return error_of(code if isinstance(code, int) else 0, str(error.get("message", "")), error.get("data"), method)

    def __repr__(self) -> str:
        return f"Endpoint({self.name})"


class _RefusedError(RpcUnavailableError):
    """A batch was refused as such."""


def http_transport(url: str, read_seconds: float = READ_SECONDS) -> Transport:
    """POST over a pool of kept-alive connections, without redirects or silent retries."""
    pool = urllib3.PoolManager(
        maxsize=8,
        retries=False,
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
        headers={"Content-Type": "application/json", "User-Agent": "agentnexus"},
    )

    def send(body: bytes) -> tuple[int, bytes]:
        try:
            response = pool.request("POST", url, body=body, redirect=False, preload_content=False)
            try:
                content = response.read(MAX_ANSWER_BYTES + 1, decode_content=True)
                if len(content) > MAX_ANSWER_BYTES:
                    response.close()
                    raise ConnectionError("the answer is too large")
                return response.status, content
            finally:
                response.release_conn()
        except urllib3.exceptions.NewConnectionError as exc:  # a kind of ConnectTimeoutError, though nothing was slow
            raise ConnectionError("refused or no such host") from exc
        except urllib3.exceptions.TimeoutError as exc:
            raise TimeoutError from exc
        except urllib3.exceptions.HTTPError as exc:
            raise ConnectionError(type(exc).__name__) from exc

    return send
