"""What we know of each chain: deployed contracts, the blocks and events read so far, and transactions to send."""

from django.db import models
from uuid_utils.compat import uuid7

from chain.fields import AddressField, HashField


class Deployment(models.Model):
    """A contract of ours (or a token we accept) on a network."""

    network = models.SlugField(max_length=32)
    contract = models.CharField(max_length=64)
    address = AddressField()
    block_number = models.PositiveBigIntegerField()
    transaction_hash = HashField(null=True)
    args = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["network", "contract"], name="one_deployment_per_contract")]

    def __str__(self) -> str:
        return f"{self.contract} on {self.network}"


class Cursor(models.Model):
    """How far a network has been read: the last block whose logs are wholly stored."""

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
        constraints = [models.UniqueConstraint(fields=["network", "number"], name="one_block_per_height")]

    def __str__(self) -> str:
        return f"{self.network} #{self.number}"


class Event(models.Model):
    """A log of one of our contracts. Kept after a reorg with status `reverted`."""

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
        constraints = [
            # The same log is stored once, however often a block is read.
            models.UniqueConstraint(fields=["network", "block_hash", "log_index"], name="one_row_per_log"),
        ]
        indexes = [
            models.Index(fields=["network", "status", "block_number"]),
            models.Index(fields=["transaction_hash"]),
        ]

    def __str__(self) -> str:
        return f"{self.contract}.{self.name} in block {self.block_number}"
