"""What the escrow owes to accounts, what they took out, and what the platform sends so that nobody has to click."""

from typing import ClassVar

from django.db import models
from uuid_utils.compat import uuid7

from chain.fields import AddressField, Uint256Field, uint256_check
from chain.models import Event, OutboxTransaction
from marketplace.purchases.models import ChainFact, Purchase


class Credit(models.Model):
    """Money that an event of a payment added to an account's credit in the escrow. Follows the event's own status."""

    class Kind(models.TextChoices):
        SALE = "sale", "Sale"
        REFUND = "refund", "Refund"
        FEE = "fee", "Platform fee"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    purchase = models.ForeignKey(Purchase, on_delete=models.CASCADE, related_name="credits")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    network = models.SlugField(max_length=32)
    token = AddressField()
    account = AddressField()
    amount = Uint256Field(help_text="Base units of the token.")
    confirmed = models.BooleanField(help_text="Whether the network's number of blocks lies above it.")
    block_number = models.BigIntegerField()
    log_index = models.PositiveIntegerField()
    block_time = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["block_number", "log_index", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "kind"], name="one_credit_per_event_and_kind"),
            uint256_check("credit_amount_is_uint256", "amount"),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "network", "token"], name="credit_of_account")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.amount} to {self.account}"


class Withdrawal(ChainFact):
    """The whole credit of an account in a token, paid out to it."""

    token = AddressField()
    account = AddressField()
    amount = Uint256Field(help_text="Base units of the token.")

    class Meta(ChainFact.Meta):
        constraints: ClassVar = [uint256_check("withdrawal_amount_is_uint256", "amount")]
        indexes: ClassVar = [models.Index(fields=["account", "network", "token"], name="withdrawal_of_account")]

    def __str__(self) -> str:
        return f"{self.amount} to {self.account}"


class Exit(models.Model):
    """A step of a payment's money out of the escrow that the platform sends when its time has come."""

    class Kind(models.TextChoices):
        RELEASE = "release", "Release to the creator"
        REFUND = "refund", "Refund after expiry"
        WITHDRAWAL = "withdrawal", "Payout of a refund"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        DONE = "done", "Done"
        DROPPED = "dropped", "No longer needed"
        STOPPED = "stopped", "Stopped"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purchase = models.ForeignKey(Purchase, on_delete=models.CASCADE, related_name="exits")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(help_text="Not tried before this time.")
    transaction = models.ForeignKey(OutboxTransaction, on_delete=models.PROTECT, null=True, related_name="+")
    detail = models.CharField(max_length=500, blank=True, help_text="What it waits for, or why it stopped.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "automatic payout step"
        permissions: ClassVar = [("retry_exit", "Can have a stopped payout step tried again")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["purchase", "kind"], name="one_exit_per_purchase_and_kind")
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], name="open_exits", condition=models.Q(status__in=["waiting", "sent"]))
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.purchase_id} ({self.status})"
