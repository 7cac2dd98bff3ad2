"""What we know of each chain: deployed contracts, the blocks and events read so far, and transactions to send."""

from typing import ClassVar

from django.db import models
from uuid_utils.compat import uuid7

from chain.fields import AddressField, HashField, Uint256Field


class Deployment(models.Model):
    """A contract of ours on a network; on the local chain also the test token."""

    network = models.SlugField(max_length=32)
    contract = models.CharField(max_length=64)
    address = AddressField()
    block_number = models.PositiveBigIntegerField()
    transaction_hash = HashField(null=True)
    args = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "contract"], name="one_deployment_per_contract")
        ]

    def __str__(self) -> str:
        return f"{self.contract} on {self.network}"


class Cursor(models.Model):
    """How far a network has been read: the last block whose logs are wholly stored.

    It is moved by compare-and-set, in the transaction that stores what was read: its row lock orders all listeners.
    """

    network = models.SlugField(max_length=32, primary_key=True)
    block_number = models.BigIntegerField()
    block_hash = HashField(null=True)
    head_number = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.network} at {self.block_number}"


class Block(models.Model):
    """A block read recently enough that a reorg could still replace it."""

    network = models.SlugField(max_length=32)
    number = models.BigIntegerField()
    hash = HashField()
    parent_hash = HashField()
    timestamp = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["network", "number"], name="one_block_per_height")]

    def __str__(self) -> str:
        return f"{self.network} #{self.number}"


class Event(models.Model):
    """A log of one of our contracts. Kept after a reorg with status `reverted`.

    `args` holds every integer as a decimal string, bytes as 0x-hex, addresses checksummed.
    """

    class Status(models.TextChoices):
        SEEN = "seen", "seen"
        CONFIRMED = "confirmed", "confirmed"
        REVERTED = "reverted", "reverted"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    network = models.SlugField(max_length=32)
    block_number = models.BigIntegerField()
    block_hash = HashField()
    block_time = models.DateTimeField()
    transaction_hash = HashField()
    log_index = models.PositiveIntegerField()
    address = AddressField()
    contract = models.CharField(max_length=64)
    name = models.CharField(max_length=64)
    args = models.JSONField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SEEN)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            # The same log is stored once, however often a block is read.
            models.UniqueConstraint(fields=["network", "block_hash", "log_index"], name="one_row_per_log"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["network", "block_number"]),
            # What waits for confirmations is a small part of all events.
            models.Index(
                fields=["network", "block_number"], name="unconfirmed_events", condition=models.Q(status="seen")
            ),
            models.Index(fields=["transaction_hash"]),
        ]

    def __str__(self) -> str:
        return f"{self.contract}.{self.name} in block {self.block_number}"


class SendingAccount(models.Model):
    """The one owner of an address's nonces: who holds this row's lock may give the next one out."""

    network = models.SlugField(max_length=32)
    address = AddressField()
    next_nonce = models.PositiveBigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "address"], name="one_nonce_owner_per_address")
        ]

    def __str__(self) -> str:
        return f"{self.address} on {self.network}, next nonce {self.next_nonce}"


class OutboxTransaction(models.Model):
    """A transaction of the platform, from the wish to send it to its outcome."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        MINED = "mined", "Mined"
        CONFIRMED = "confirmed", "Confirmed"
        REVERTED = "reverted", "Reverted"
        UNKNOWN = "unknown", "Unknown"
        DISPLACED = "displaced", "Displaced"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    network = models.SlugField(max_length=32)
    key_name = models.CharField(max_length=32)
    sender = AddressField()
    idempotency_key = models.CharField(max_length=200)
    purpose = models.CharField(max_length=64)
    to = AddressField(null=True, help_text="Empty when it creates a contract.")
    data = models.BinaryField()
    value = Uint256Field(default=0, help_text="Wei.")
    gas_limit = models.PositiveBigIntegerField(null=True)
    most_gas = models.PositiveBigIntegerField(
        null=True, help_text="It is not sent when it would need more than this; empty is any."
    )
    nonce = models.PositiveBigIntegerField(null=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    detail = models.CharField(
        max_length=500, blank=True, default="", help_text="What went wrong, or what it waits for."
    )
    transaction_hash = HashField(null=True, help_text="Of the attempt that was mined.")
    block_number = models.PositiveBigIntegerField(null=True)
    block_hash = HashField(null=True)
    succeeded = models.BooleanField(null=True, help_text="The receipt's status.")
    gas_used = models.PositiveBigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "idempotency_key"], name="one_transaction_per_idempotency_key"),
            models.UniqueConstraint(fields=["network", "sender", "nonce"], name="one_transaction_per_nonce"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["network", "id"],
                name="open_transactions",
                condition=models.Q(status__in=["queued", "sent", "mined", "unknown"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} ({self.status})"


class OutboxAttempt(models.Model):
    """One signed form of a transaction, stored before it is first sent. Sending the same bytes again is harmless."""

    transaction = models.ForeignKey(OutboxTransaction, on_delete=models.CASCADE, related_name="attempts")
    hash = HashField()
    raw = models.BinaryField()
    max_fee_per_gas = Uint256Field(help_text="Wei.")
    max_priority_fee_per_gas = Uint256Field(help_text="Wei.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transaction", "hash"], name="one_attempt_per_signed_form")
        ]

    def __str__(self) -> str:
        return self.hash
