"""What became of signed operations. The chain's own logs decide; what a bundler says is a hint where to look.

An outcome that is not there is unknown, not lost: the same bytes are sent again, and nothing is signed again for it.
"""

from datetime import timedelta
from typing import Any

import structlog
from django.db.models import Q
from django.utils import timezone

from chain.errors import DomainError
from chain.networks import Network, all_networks, get_network
from chain.rpc import pool_of
from wallets.models import SmartAccount, UserOperation
from wallets.smart_accounts import entry_point, keys
from wallets.smart_accounts.bundler import bundlers_of
from wallets.smart_accounts.entry_point import Outcome
from wallets.smart_accounts.operations import move, send
from wallets.smart_accounts.states import IN_FLIGHT, Happening, Status

log = structlog.get_logger(__name__)

# One question about an operation in this time, however many pages and processes wait for it.
CHECK_SECONDS = 0.5
# A bundler that has taken an operation gets this long before it is given the same bytes again.
PATIENCE_SECONDS = 30
# An operation that was signed but not sent: the process stopped in between.
SIGNED_SECONDS = 10
AT_ONCE = 200
_DISPLACED = "Another operation of the account with the same nonce came first."
_DISPLACED_BY_ITS_OTHER = (
    "It was replaced: of the two with the same nonce the other one is in a block, so this one never happens."
)


def follow(operation: UserOperation) -> UserOperation:
    """Look what became of `operation`, and send it again when it seems lost. Raises RpcUnavailableError and its kin."""
    if operation.confirmed_at is not None or operation.status == Status.BUILT or not _claimed(operation):
        return operation
    network = get_network(operation.account.network)
    head = int(pool_of(network).call("eth_blockNumber"), 16)
    if operation.status in IN_FLIGHT:
        _look(operation, network, head)
    else:
        _confirm(operation, network, head)
    operation.refresh_from_db()
    return operation


def follow_all() -> int:
    """Follow every operation whose outcome is not final; the number. One that cannot be followed holds up no other."""
    slugs = [network.slug for network in all_networks()]
    waiting = UserOperation.objects.select_related("account").filter(
        Q(status__in=IN_FLIGHT) | Q(block_number__isnull=False), confirmed_at=None, account__network__in=slugs
    )
    count = 0
    for operation in waiting.order_by("checked_at", "pk")[:AT_ONCE]:
        try:
            follow(operation)
        except DomainError as exc:
            log.warning("user_operation_not_followed", operation=str(operation.pk), code=exc.code, detail=exc.message)
        else:
            count += 1
    return count


def _claimed(operation: UserOperation) -> bool:
    """Whether it is our turn to ask: the conditional UPDATE lets one of many through."""
    now = timezone.now()
    due = Q(checked_at=None) | Q(checked_at__lt=now - timedelta(seconds=CHECK_SECONDS))
    return bool(UserOperation.objects.filter(due, pk=operation.pk).update(checked_at=now))


def _look(operation: UserOperation, network: Network, head: int) -> None:
    outcome = _outcome(operation, network, head)
    if outcome is not None:
        _end(operation, outcome)
        return
    settled = head - network.confirmations
    if settled > 0 and entry_point.nonce_of(network, operation.account.address, hex(settled)) > operation.nonce:
        # Its nonce was used, in a block that stays, by an operation that is not this one.
        detail = _DISPLACED if _winner(operation, network, head) is None else _DISPLACED_BY_ITS_OTHER
        move(
            operation,
            Happening.DISPLACE,
            code="displaced",
            detail=detail,
            closed_at=timezone.now(),
            confirmed_at=timezone.now(),
        )
        return
    # Each block is asked for until it can no longer change.
    UserOperation.objects.filter(pk=operation.pk).update(scanned_to=max(operation.scanned_to, settled))
    _care(operation, network)


def _winner(operation: UserOperation, network: Network, head: int) -> UserOperation | None:
    """Which of the account's other operations with the same nonce is in a block, if it was built here."""
    others = operation.account.operations.select_related("account").filter(nonce=operation.nonce)
    others = others.exclude(pk=operation.pk)
    for other in others.filter(status__in=IN_FLIGHT):
        outcome = _outcome(other, network, head)
        if outcome is not None:
            _end(other, outcome)
    return others.filter(block_number__isnull=False).first()


def _outcome(operation: UserOperation, network: Network, head: int) -> Outcome | None:
    found = entry_point.outcome_in_logs(network, operation.user_op_hash, operation.scanned_to + 1, head)
    if found is not None:
        return found
    # A node may leave logs out near its head; the bundler knows in which transaction to look.
    try:
        hint = bundlers_of(network).transaction_of(operation.user_op_hash)
    except DomainError:  # no bundler answers, or none is configured any more
        hint = None
    return entry_point.outcome_in_transaction(network, operation.user_op_hash, hint) if hint else None


def _end(operation: UserOperation, outcome: Outcome) -> None:
    """The operation is in a block. It happened only if the EntryPoint says so."""
    changes: dict[str, Any] = {
        "transaction_hash": outcome.transaction_hash,
        "block_number": outcome.block_number,
        "block_hash": outcome.block_hash,
        "gas_cost": outcome.gas_cost,
        "closed_at": timezone.now(),
    }
    # Whatever came of its calls, the account that ran them is there.
    SmartAccount.objects.filter(pk=operation.account_id).update(is_deployed=True)
    if outcome.success:
        move(operation, Happening.SUCCEED, code="", detail="", **changes)
        keys.settle(operation)
    else:
        why = outcome.reason or "it ran out of gas, or gave no reason"
        detail = f"The operation is in a block, but what it was to do failed: {why}. Only gas was spent."
        move(operation, Happening.REVERT, code="reverted", detail=detail[:500], **changes)


def _confirm(operation: UserOperation, network: Network, head: int) -> None:
    """Final once enough blocks lie on top; unknown again when its block is no longer part of the chain."""
    if operation.block_number is None or operation.transaction_hash is None:
        return
    found = entry_point.outcome_in_transaction(network, operation.user_op_hash, operation.transaction_hash)
    if found is None:
        move(
            operation,
            Happening.REORG,
            code="",
            detail="The chain replaced its block; we look for it again.",
            transaction_hash=None,
            block_number=None,
            block_hash=None,
            gas_cost=None,
            closed_at=None,
            scanned_to=max(0, operation.block_number - network.confirmations),
        )
        keys.settle(operation)
        return
    if found.block_number != operation.block_number or found.block_hash != operation.block_hash:
        UserOperation.objects.filter(pk=operation.pk, status=operation.status).update(
            block_number=found.block_number, block_hash=found.block_hash
        )
    if head - found.block_number >= network.confirmations:
        UserOperation.objects.filter(pk=operation.pk, status=operation.status).update(confirmed_at=timezone.now())


def _care(operation: UserOperation, network: Network) -> None:
    """Send again what was not sent, or what the bundlers seem to have lost."""
    age = (timezone.now() - (operation.sent_at or operation.signed_at or operation.created_at)).total_seconds()
    if operation.status == Status.SIGNED:
        if age > SIGNED_SECONDS:
            move(operation, Happening.LOSE_SIGHT, detail="It was signed, but not sent yet.")
            send(operation)
        return
    if age < PATIENCE_SECONDS:
        return
    if operation.status == Status.SUBMITTED:
        if bundlers_of(network).knows(operation.user_op_hash):
            return
        move(operation, Happening.LOSE_SIGHT, detail="The bundler no longer has it; we send it again.")
    send(operation)
