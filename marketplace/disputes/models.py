"""What the parties of a dispute say, and what was decided."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from chain.fields import HashField
from chain.models import OutboxTransaction
from marketplace.purchases.models import Purchase


class Statement(models.Model):
    """A party's text. It is kept before anything is signed and never changed: its hash may be on the chain."""

    class Side(models.TextChoices):
        BUYER = "buyer", "Buyer"
        CREATOR = "creator", "Creator"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purchase = models.ForeignKey(Purchase, on_delete=models.PROTECT, related_name="statements")
    side = models.CharField(max_length=10, choices=Side.choices)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    is_reason = models.BooleanField(help_text="Given to open the dispute; it counts if its hash is on the chain.")
    text = models.TextField()
    hash = HashField(help_text="keccak-256 of the text in UTF-8.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            # The same text sent twice, by a double click or a lost answer, is one statement.
            models.UniqueConstraint(fields=["purchase", "side", "hash"], name="one_statement_per_text")
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()} on {self.purchase_id}"


class Decision(models.Model):
    """How the arbiter divides a disputed payment, and the transaction that says so on the chain."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purchase = models.ForeignKey(Purchase, on_delete=models.PROTECT, related_name="decisions")
    number = models.PositiveSmallIntegerField(help_text="Counts up when an earlier one could not be carried out.")
    refund_bps = models.PositiveSmallIntegerField("share of the buyer", help_text="Basis points of the amount.")
    text = models.TextField()
    hash = HashField(help_text="keccak-256 of the text in UTF-8.")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    transaction = models.ForeignKey(OutboxTransaction, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["purchase", "number"], name="one_decision_per_number"),
            models.CheckConstraint(condition=models.Q(refund_bps__lte=10_000), name="refund_share_within_the_whole"),
        ]

    def __str__(self) -> str:
        return f"{self.refund_bps / 100:g} % back to the buyer"


class Dispute(Purchase):
    """A purchase as those see it who decide disputes."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions: ClassVar = [("resolve_dispute", "Can decide disputes")]

    def __str__(self) -> str:
        return f"Dispute about purchase {self.pk}"
