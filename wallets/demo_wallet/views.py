"""HTTP side of the demo wallet: fund a burner, and reach the local node from the page's own origin."""

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from chain.errors import DomainError
from wallets.demo_wallet import node
from wallets.rates import Rate
from wallets.signin.addresses import checksummed
from wallets.signin.client_ip import client_ip, rate_key

FUND_RATE = Rate("demo-fund", 60, 60)
RPC_RATE = Rate("demo-rpc", 1200, 60)
MAX_BODY = 128 * 1024
# Reading, and sending what the burner itself signed. Nothing that changes the node or signs with its accounts.
ALLOWED_METHODS = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_estimateGas",
        "eth_feeHistory",
        "eth_gasPrice",
        "eth_getBalance",
        "eth_getBlockByNumber",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
        "eth_sendRawTransaction",
    }
)
# JSON-RPC 2.0, section 5.1
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, SERVER_ERROR = -32700, -32600, -32601, -32602, -32000


@require_POST
def fund(request: HttpRequest) -> JsonResponse:
    """`{address}` -> `{address, eth, usdc, transaction}`: the amounts it now holds at least, in wei and base units."""
    wait = FUND_RATE.hit(rate_key(client_ip(request)))
    if wait:
        return _problem(
            429, "throttled", f"Too many requests. Try again in {wait} seconds.", {"Retry-After": str(wait)}
        )
    body = _json(request)
    address = body.get("address") if isinstance(body, dict) else None
    try:
        recipient = checksummed(address if isinstance(address, str) else "")
        transaction = node.fund(recipient)
    except DomainError as exc:
        return _problem(exc.http_status, exc.code, exc.message)
    return JsonResponse(
        {"address": recipient, "eth": str(node.ETH_WEI), "usdc": str(node.USDC_UNITS), "transaction": transaction}
    )


@require_POST
def rpc(request: HttpRequest) -> JsonResponse:
    """One JSON-RPC 2.0 call of ALLOWED_METHODS; errors come as JSON-RPC errors, as wallets expect."""
    wait = RPC_RATE.hit(rate_key(client_ip(request)))
    if wait:
        return _rpc_error(None, SERVER_ERROR, "Too many requests.", 429)
    call = _json(request)
    if call is None:
        return _rpc_error(None, PARSE_ERROR, "The body is not JSON, or too large.", 400)
    if not isinstance(call, dict) or not isinstance(call.get("method"), str):
        return _rpc_error(None, INVALID_REQUEST, "Send one JSON-RPC 2.0 request object.", 400)
    number = call.get("id") if isinstance(call.get("id"), int | str) else None
    if call["method"] not in ALLOWED_METHODS:
        return _rpc_error(number, METHOD_NOT_FOUND, f"The demo wallet does not offer {call['method'][:60]}.", 403)
    params = call.get("params", [])
    if not isinstance(params, list):
        return _rpc_error(number, INVALID_PARAMS, "params must be an array.", 400)
    try:
        answer = node.forward(call["method"], params)
    except DomainError as exc:
        return _rpc_error(number, SERVER_ERROR, exc.message, exc.http_status)
    return JsonResponse({"jsonrpc": "2.0", "id": number, **answer})


def _json(request: HttpRequest) -> Any:
    if len(request.body) > MAX_BODY:
        return None
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return None


def _rpc_error(number: int | str | None, code: int, message: str, status: int) -> JsonResponse:
    return JsonResponse({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}, status=status)


def _problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> JsonResponse:
    body = {
        "type": f"about:blank#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return JsonResponse(body, status=status, headers=headers, content_type="application/problem+json")
