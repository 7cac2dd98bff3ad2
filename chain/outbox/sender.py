"""Sends what is in the outbox, and follows it until it is final.

The order of steps makes every crash harmless. A nonce is given out and the signed bytes are stored in one database
transaction under the lock of the account's row; only then are the bytes sent. After a crash the stored bytes are sent
again: the same bytes are the same transaction, so it cannot happen twice. What a node says of a hash decides; a lost
answer decides nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from chain.errors import IncompleteAnswerError, MissingKeyError, RpcError, RpcUnavailableError
from chain.keys import Signer, get_signer
from chain.models import OutboxAttempt, OutboxTransaction, SendingAccount
from chain.networks import Network
from chain.outbox import fees
from chain.outbox.fees import Fees
from chain.outbox.reasons import revert_reason
from chain.outbox.states import IN_FLIGHT, Status, move
from chain.rpc import Pool, pool_of
from chain.tokens import format_units

logger = structlog.get_logger(__name__)

BUMP_AFTER_BLOCKS = 10
MOST_ATTEMPTS = 12
MOST_IN_FLIGHT = 16
GAS_MARGIN_PERCENT = 20
_ALREADY_THERE = ("already known", "already imported", "known transaction", "nonce too low", "nonce is too low")
_UNDERPRICED = ("underpriced", "fee too low", "less than block base fee", "below base fee")
_NO_MONEY = ("insufficient funds", "insufficient balance", "gas required exceeds allowance (0)")


@dataclass(frozen=True, slots=True)
class _Receipt:
    transaction_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int


class Sender:
    """Drives the outbox of one network. Several may run at a time."""

    def __init__(self, network: Network, pool: Pool | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self.network = network
        self.pool = pool or pool_of(network)
        self._now = now

    def step(self) -> int:
        """One round over every open transaction; the number of transactions that moved.

        Raises RpcUnavailableError when no endpoint answers; nothing is lost by that.
        """
        moved = 0
        senders = (
            OutboxTransaction.objects.filter(network=self.network.slug, status__in=[*IN_FLIGHT, Status.QUEUED])
            .order_by("sender")
            .values_list("sender", flat=True)
            .distinct()
        )
        for sender in list(senders):
            moved += self._follow(sender) + self._send_queued(sender)
        return moved

    # ------------------------------------------------------------------ new ones

    def _send_queued(self, sender: str) -> int:
        mine = OutboxTransaction.objects.filter(network=self.network.slug, sender=sender)
        room = MOST_IN_FLIGHT - mine.filter(status__in=[Status.SENT, Status.UNKNOWN]).count()
        moved = 0
        for row in mine.filter(status=Status.QUEUED).order_by("id")[: max(room, 0)]:
            try:
                moved += self._send_new(row)
            except MissingKeyError as exc:
                self._note(row, exc.message)
        return moved

    def _send_new(self, row: OutboxTransaction) -> bool:
        """Estimate, give out a nonce, sign, store, send."""
        signer = get_signer(row.key_name, self.network)
        if signer.address != row.sender:
            self._note(row, f"{row.key_name} is now another address than {row.sender}; this row waits for the old key.")
            return False
        try:
            gas = self._estimate(row)
        except RpcError as exc:
            reason = revert_reason(exc, row)
            if _mentions(exc, _NO_MONEY):
                self._note(row, f"{row.sender} ({row.key_name}) has not enough ether for this. Send it some.")
                return False
            logger.error("outbox_would_revert", transaction=str(row.pk), purpose=row.purpose, reason=reason)
            return move(row, Status.FAILED, detail=reason[:500], closed_at=timezone.now())
        if row.most_gas is not None and gas > row.most_gas:
            reason = f"TooMuchGas({gas}, {row.most_gas})"
            logger.error("outbox_needs_too_much_gas", transaction=str(row.pk), purpose=row.purpose, gas=gas)
            return move(row, Status.FAILED, detail=reason, closed_at=timezone.now())
        offer = fees.current(self.pool)
        if not self._can_pay(row, gas, offer):
            return False
        attempt = self._claim(row, signer, gas, offer)
        if attempt is None:
            return False
        self._broadcast(row, attempt)
        return True

    def _can_pay(self, row: OutboxTransaction, gas: int, offer: Fees) -> bool:
        """Whether the account can pay the most that this may cost, before a nonce is given to it."""
        balance = int(self.pool.call("eth_getBalance", row.sender, "latest"), 16)
        needed = row.value + gas * offer.max_fee
        if balance >= needed:
            return True
        self._note(
            row,
            f"{row.sender} ({row.key_name}) has not enough ether for this: it has {format_units(balance, 18)} and may "
            f"need {format_units(needed, 18)}. Send it some.",
        )
        return False

    def _estimate(self, row: OutboxTransaction) -> int:
        request: dict[str, Any] = {"from": row.sender, "data": "0x" + bytes(row.data).hex(), "value": hex(row.value)}
        if row.to:
            request["to"] = row.to
        used = int(self.pool.call("eth_estimateGas", request), 16)
        return used + used * GAS_MARGIN_PERCENT // 100

    def _claim(self, row: OutboxTransaction, signer: Signer, gas: int, offer: Fees) -> OutboxAttempt | None:
        """Give the row its nonce and its first signed form, under the lock of the one nonce owner."""
        slug = self.network.slug
        count = int(self.pool.call("eth_getTransactionCount", row.sender, "pending"), 16)
        SendingAccount.objects.get_or_create(network=slug, address=row.sender, defaults={"next_nonce": count})
        with transaction.atomic():
            account = SendingAccount.objects.select_for_update().get(network=slug, address=row.sender)
            others = OutboxTransaction.objects.filter(network=slug, sender=row.sender, status__in=IN_FLIGHT)
            # With nothing of ours on its way, what the chain counts beyond our own count was sent by somebody else.
            nonce = account.next_nonce if others.exists() else max(account.next_nonce, count)
            claimed = move(row, Status.SENT, nonce=nonce, gas_limit=gas, sent_at=timezone.now(), detail="")
            if not claimed:
                return None  # another sender took it between our reading and our lock
            SendingAccount.objects.filter(pk=account.pk).update(next_nonce=nonce + 1)
            return self._sign(row, signer, offer)

    def _sign(self, row: OutboxTransaction, signer: Signer, offer: Fees) -> OutboxAttempt:
        unsigned: dict[str, Any] = {
            "type": 2,
            "chainId": self.network.chain_id,
            "nonce": row.nonce,
            "gas": row.gas_limit,
            "maxFeePerGas": offer.max_fee,
            "maxPriorityFeePerGas": offer.max_priority_fee,
            "value": row.value,
            "data": bytes(row.data),
        }
        if row.to:
            unsigned["to"] = row.to
        transaction_hash, raw = signer.sign_transaction(unsigned)
        attempt, _ = OutboxAttempt.objects.get_or_create(
            transaction=row,
            hash=transaction_hash,
            defaults={
                "raw": raw,
                "max_fee_per_gas": offer.max_fee,
                "max_priority_fee_per_gas": offer.max_priority_fee,
            },
        )
        return attempt

    def _broadcast(self, row: OutboxTransaction, attempt: OutboxAttempt) -> bool:
        """Send stored bytes; False when the node wants a higher fee. Whatever it answers, the row stays as it is: its
        receipt will tell."""
        log = logger.bind(transaction=str(row.pk), hash=attempt.hash, nonce=row.nonce, purpose=row.purpose)
        try:
            self.pool.call("eth_sendRawTransaction", "0x" + bytes(attempt.raw).hex())
        except RpcError as exc:
            if _mentions(exc, _ALREADY_THERE):
                return True
            if _mentions(exc, _NO_MONEY):
                self._note(row, f"{row.sender} ({row.key_name}) has not enough ether for this. Send it some.")
            elif _mentions(exc, _UNDERPRICED):
                self._note(row, "The network asks for a higher fee; it will be raised.")
                return False
            else:
                self._note(row, f"The node refused it: {exc.message}")
        except RpcUnavailableError as exc:
            log.warning("outbox_not_answered", detail=exc.message)
        else:
            log.info("outbox_sent", max_fee=attempt.max_fee_per_gas)
        return True

    # ------------------------------------------------------------------ those on their way

    def _follow(self, sender: str) -> int:
        rows = list(
            OutboxTransaction.objects.filter(network=self.network.slug, sender=sender, status__in=IN_FLIGHT)
            .order_by("nonce")
            .prefetch_related("attempts")
        )
        if not rows:
            return 0
        head = int(self.pool.call("eth_blockNumber"), 16)
        used_nonces = int(self.pool.call("eth_getTransactionCount", sender, "latest"), 16)
        return sum(self._follow_one(row, head, used_nonces) for row in rows)

    def _follow_one(self, row: OutboxTransaction, head: int, used_nonces: int) -> bool:
        receipt = self._receipt(row)
        if receipt is not None:
            return self._mined(row, receipt, head)
        if row.status == Status.MINED:
            logger.warning("outbox_reorged", transaction=str(row.pk), nonce=row.nonce)
            return move(row, Status.SENT, block_number=None, block_hash=None, transaction_hash=None, succeeded=None)
        if row.nonce is not None and used_nonces > row.nonce:
            return self._look_for_it(row, head)
        if row.status == Status.UNKNOWN:
            return move(row, Status.SENT, detail="")
        self._push(row)
        return False

    def _receipt(self, row: OutboxTransaction) -> _Receipt | None:
        """The receipt of whichever attempt is in a block of the chain."""
        for attempt in row.attempts.all():
            found = self.pool.call("eth_getTransactionReceipt", attempt.hash)
            if found is None or found.get("blockHash") is None:
                continue
            receipt = _parse_receipt(found)
            block = self.pool.call("eth_getBlockByNumber", hex(receipt.block_number), False)
            if block is not None and block["hash"] == receipt.block_hash:
                return receipt
        return None

    def _mined(self, row: OutboxTransaction, receipt: _Receipt, head: int) -> bool:
        seen = {
            "transaction_hash": receipt.transaction_hash,
            "block_number": receipt.block_number,
            "block_hash": receipt.block_hash,
            "succeeded": receipt.succeeded,
            "gas_used": receipt.gas_used,
            "detail": "",
        }
        if row.status != Status.MINED:
            if not move(row, Status.MINED, **seen):
                return False
            logger.info("outbox_mined", transaction=str(row.pk), block=receipt.block_number, gas=receipt.gas_used)
            return self._confirm(row, receipt, head) or True
        if row.block_hash != receipt.block_hash:
            OutboxTransaction.objects.filter(pk=row.pk, status=Status.MINED).update(**seen)
            for name, value in seen.items():
                setattr(row, name, value)
        return self._confirm(row, receipt, head)

    def _confirm(self, row: OutboxTransaction, receipt: _Receipt, head: int) -> bool:
        if head - receipt.block_number < self.network.confirmations:
            return False
        if receipt.succeeded:
            return move(row, Status.CONFIRMED, closed_at=timezone.now())
        logger.error("outbox_reverted", transaction=str(row.pk), hash=receipt.transaction_hash, purpose=row.purpose)
        return move(
            row,
            Status.REVERTED,
            closed_at=timezone.now(),
            detail="It was mined but reverted: the state of the contract changed after it was estimated.",
        )

    def _look_for_it(self, row: OutboxTransaction, head: int) -> bool:
        """The nonce is used and no receipt of ours is shown. Either the node is behind, or the key was used by
        somebody else. Only the latter, once it is as final as the network's confirmations, ends the row."""
        if row.status == Status.SENT:
            logger.warning("outbox_unknown", transaction=str(row.pk), nonce=row.nonce)
            return move(row, Status.UNKNOWN, detail="Its nonce is used but no node shows its receipt; looking again.")
        deep = head - max(self.network.confirmations, 1)
        if deep < 0 or not self._used_everywhere(row, deep):
            return False
        logger.error("outbox_displaced", transaction=str(row.pk), nonce=row.nonce)
        return move(
            row,
            Status.DISPLACED,
            closed_at=timezone.now(),
            detail="Another transaction of this key used its nonce, so it can never be mined. "
            "Make sure that nothing else uses the key, then ask for it again.",
        )

    def _used_everywhere(self, row: OutboxTransaction, block: int) -> bool:
        """Whether every endpoint says that the nonce was used at `block` and that it knows none of our attempts."""
        hashes = [attempt.hash for attempt in row.attempts.all()]
        for endpoint in self.pool.endpoints:
            try:
                used = int(endpoint.call("eth_getTransactionCount", row.sender, hex(block)), 16)
                if row.nonce is None or used <= row.nonce:
                    return False
                if any(endpoint.call("eth_getTransactionReceipt", each) is not None for each in hashes):
                    return False
                if any(endpoint.call("eth_getTransactionByHash", each) is not None for each in hashes):
                    return False
            except (RpcUnavailableError, RpcError):
                return False
        return True

    def _push(self, row: OutboxTransaction) -> None:
        """Send it again as it is, or with a higher fee when it has waited long."""
        attempts = sorted(row.attempts.all(), key=lambda attempt: attempt.max_fee_per_gas)
        latest = attempts[-1]
        patience = timedelta(seconds=BUMP_AFTER_BLOCKS * self.network.block_time * len(attempts))
        waited = timezone.now() - (row.sent_at or row.created_at)
        if waited < patience or len(attempts) >= MOST_ATTEMPTS:
            if self.pool.call("eth_getTransactionByHash", latest.hash) is not None or self._broadcast(row, latest):
                return
            if len(attempts) >= MOST_ATTEMPTS:
                return
        before = Fees(latest.max_fee_per_gas, latest.max_priority_fee_per_gas)
        offer = fees.bumped(before, fees.current(self.pool))
        if offer.max_fee <= before.max_fee:
            self._note(row, "It waits although it offers the highest fee allowed; look at the network.")
            return
        try:
            signer = get_signer(row.key_name, self.network)
        except MissingKeyError as exc:
            self._note(row, exc.message)
            return
        with transaction.atomic():
            # The lock keeps two senders from signing two replacements of one nonce at the same fee.
            locked = OutboxTransaction.objects.select_for_update().filter(pk=row.pk, status=Status.SENT).first()
            if locked is None or locked.attempts.count() != len(attempts) or signer.address != row.sender:
                return
            attempt = self._sign(locked, signer, offer)
        logger.info("outbox_fee_raised", transaction=str(row.pk), nonce=row.nonce, max_fee=offer.max_fee)
        self._broadcast(row, attempt)

    def _note(self, row: OutboxTransaction, detail: str) -> None:
        if row.detail != detail[:500]:
            row.detail = detail[:500]
            OutboxTransaction.objects.filter(pk=row.pk).update(detail=row.detail)
            logger.warning("outbox_waits", transaction=str(row.pk), purpose=row.purpose, detail=detail)

    # ------------------------------------------------------------------ waiting

    def run_until_closed(self, row: OutboxTransaction, seconds: float, poll: float = 0.05) -> OutboxTransaction:
        """Drive the outbox until `row` is mined or closed, and give it back. Raises IncompleteAnswerError when that
        takes longer than `seconds`; the row goes on by itself then."""
        deadline = self._now() + seconds
        while True:
            self.step()
            row.refresh_from_db()
            if row.status not in (Status.QUEUED, Status.SENT, Status.UNKNOWN):
                return row
            if self._now() > deadline:
                why = row.detail or "It is not mined yet."
                raise IncompleteAnswerError(f"{row.purpose}: {why} (Waited {seconds:.0f} s; run this again to go on.)")
            time.sleep(poll)


def _parse_receipt(found: dict[str, Any]) -> _Receipt:
    try:
        return _Receipt(
            transaction_hash=found["transactionHash"],
            block_number=int(found["blockNumber"], 16),
            block_hash=found["blockHash"],
            succeeded=int(found["status"], 16) == 1,
            gas_used=int(found["gasUsed"], 16),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise IncompleteAnswerError("A receipt is not complete.") from exc


def _mentions(error: RpcError, words: tuple[str, ...]) -> bool:
    return any(word in error.message.lower() for word in words)
