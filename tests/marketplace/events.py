"""Chain events made by hand, for tests that need no chain."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from chain.artefacts import ENTITLEMENTS, ESCROW
from chain.models import Event
from marketplace.models import Purchase

GENESIS = datetime(2026, 6, 1, tzinfo=UTC)
BLOCK_TIME = timedelta(seconds=2)
PAYER = "0x" + "22" * 20


def time_of(block: int) -> datetime:
    """When a block of the made-up chain was mined."""
    return GENESIS + block * BLOCK_TIME


def escrow_event(purchase: Purchase, name: str, block: int = 1, index: int = 0, **changes: Any) -> Event:
    """A stored event of the escrow about `purchase`, with terms that fit unless changed."""
    args = _ARGS[name](purchase, block) | {key: str(value) for key, value in changes.items()}
    return _event(ESCROW, name, block, index, {"paymentId": purchase.payment_id, **args}, purchase.network)


def entitlement_event(holder: str, agent_id: int, expires_at: int, block: int, index: int = 0) -> Event:
    """A stored EntitlementChanged."""
    args = {"holder": holder, "agentId": str(agent_id), "expiresAt": str(expires_at)}
    return _event(ENTITLEMENTS, "EntitlementChanged", block, index, args, "local")


def _event(contract: str, name: str, block: int, index: int, args: dict[str, Any], network: str) -> Event:
    return Event.objects.create(
        network=network,
        block_number=block,
        block_hash="0x" + secrets.token_hex(32),
        block_time=time_of(block),
        transaction_hash="0x" + secrets.token_hex(32),
        log_index=index,
        address="0x" + "33" * 20,
        contract=contract,
        name=name,
        args=args,
    )


def _deposit(purchase: Purchase, block: int) -> dict[str, str]:
    at = int(time_of(block).timestamp())
    return {
        "agentId": str(purchase.agent.onchain_id),
        "recipient": purchase.recipient,
        "payer": PAYER,
        "creator": purchase.creator_address,
        "token": purchase.token,
        "amount": str(purchase.amount),
        "feeBps": "250",
        "accessDuration": str(purchase.access_duration),
        "releaseAfter": str(at + 100),
        "expiresAt": str(at + 200),
    }


def _release(purchase: Purchase, block: int) -> dict[str, str]:
    fee = purchase.amount // 40
    return {"creatorAmount": str(purchase.amount - fee), "feeAmount": str(fee)}


def _resolution(purchase: Purchase, block: int) -> dict[str, str]:
    half = purchase.amount // 2
    return {
        "refundAmount": str(half),
        "creatorAmount": str(purchase.amount - half),
        "feeAmount": "0",
        "reasonHash": "0x" + "00" * 32,
    }


_ARGS = {
    "PaymentDeposited": _deposit,
    "PaymentReleased": _release,
    "PaymentRefunded": lambda purchase, block: {"amount": str(purchase.amount)},
    "DisputeOpened": lambda purchase, block: {"by": PAYER, "reasonHash": "0x" + "00" * 32},
    "DisputeResolved": _resolution,
}
