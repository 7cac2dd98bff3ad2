"""Purchases and the access they bring, as the chain tells us."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from chain.fields import AddressField, HashField, Uint256Field, uint256_check
from chain.models import Event
from marketplace.catalogue.models import Agent

# What the entitlements contract writes for access without end.
LIFETIME = 2**64 - 1


class Purchase(models.Model):
    """A quote and what became of it. Terms are fixed at quoting; every later state comes from events of the escrow."""

    class Status(models.TextChoices):
        QUOTED = "quoted", "Quoted"
        DEPOSITED = "deposited", "Deposited"
        ACTIVE = "active", "Active"
        DISPUTED = "disputed", "Disputed"
        RELEASED = "released", "Released"
        REFUNDED = "refunded", "Refunded"
        LAPSED = "lapsed", "Lapsed"
        UNKNOWN = "unknown", "Unknown"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="purchases")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="purchases")
    network = models.SlugField(max_length=32)
    token = AddressField()
    amount = Uint256Field(help_text="Base units of the token.")
    quoted_fee_bps = models.PositiveSmallIntegerField(
        default=0, help_text="Platform fee in basis points when the quote was made."
    )
    fee_bps = models.PositiveSmallIntegerField(help_text="Platform fee in basis points, fixed at deposit.")
    access_duration = models.PositiveBigIntegerField(help_text="Seconds; 0 is for ever.")
    creator_address = AddressField()
    bound_payer = AddressField(null=True, blank=True, help_text="Only this address may pay; empty is anyone.")
    recipient = AddressField(help_text="Who receives the access.")
    salt = HashField()
    valid_until = models.DateTimeField(help_text="The quote cannot be paid after this time.")
    payment_id = HashField(unique=True, help_text="EIP-712 digest of the quote.")
    signature = models.CharField(max_length=140)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUOTED)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True)
    payer = AddressField(null=True, blank=True)
    deposit_tx_hash = HashField(null=True, blank=True)
    deposit_block = models.PositiveBigIntegerField(null=True, blank=True)
    release_after = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="From this time anyone may send the held money back to the payer."
    )
    refunded_amount = Uint256Field(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    unknown_at = models.DateTimeField(
        null=True, blank=True, help_text="When the quote ran out while the chain had not been read up to its end."
    )
    lapsed_at = models.DateTimeField(null=True, blank=True)
    deposited_at = models.DateTimeField(null=True, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["buyer", "idempotency_key"], name="one_purchase_per_idempotency_key"),
            uint256_check("purchase_amounts_are_uint256", "amount", "refunded_amount"),
            models.CheckConstraint(
                condition=models.Q(refunded_amount__lte=models.F("amount")), name="refund_within_payment"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["buyer", "-id"], name="purchase_of_buyer"),
            models.Index(fields=["status", "valid_until"], name="purchase_deadline"),
        ]

    def __str__(self) -> str:
        return f"Purchase {self.pk}"


class ChainFact(models.Model):
    """Our note of a chain event, kept beside what the event changed so that a reorg is undone by reading the rest.

    `status` repeats the event's own status as the listener last told it to us.
    """

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="+")
    network = models.SlugField(max_length=32)
    status = models.CharField(max_length=10, choices=Event.Status.choices)
    block_number = models.BigIntegerField()
    log_index = models.PositiveIntegerField()
    block_time = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        ordering: ClassVar = ["block_number", "log_index", "id"]


class EscrowFact(ChainFact):
    """An event of the escrow about one payment. `problem` says why it changed nothing, if so."""

    class Problem(models.TextChoices):
        UNKNOWN_PAYMENT = "unknown_payment", "No purchase has this payment id"
        TERMS_DIFFER = "terms_differ", "Its terms are not the purchase's"
        LATE = "late", "The deposit was mined after the quote ran out"
        OUT_OF_ORDER = "out_of_order", "The purchase's state does not allow it"

    purchase = models.ForeignKey(Purchase, on_delete=models.CASCADE, null=True, blank=True, related_name="facts")
    payment_id = HashField()
    name = models.CharField(max_length=64)
    problem = models.CharField(max_length=20, choices=Problem.choices, blank=True)

    class Meta(ChainFact.Meta):
        indexes: ClassVar = [models.Index(fields=["payment_id"], name="escrow_fact_payment")]

    def __str__(self) -> str:
        return f"{self.name} in block {self.block_number}"


class Entitlement(models.Model):
    """A holder's access to an agent, mirrored from AgentNexusEntitlements.

    `seen_expires_at` is what the newest event says. `expires_at`, by which access is decided, is the smaller of that
    and what the newest confirmed event says: access is given after the confirmations and taken back at once.
    """

    network = models.SlugField(max_length=32)
    onchain_agent_id = Uint256Field()
    holder = AddressField()
    expires_at = Uint256Field(help_text="Unix seconds; 0 is none, 2**64-1 is for ever.")
    seen_expires_at = Uint256Field(default=0, help_text="As expires_at, before the confirmations.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["network", "onchain_agent_id", "holder"], name="one_entitlement_per_holder"
            ),
            uint256_check("entitlement_expiries_are_uint256", "expires_at", "seen_expires_at"),
        ]
        indexes: ClassVar = [models.Index(fields=["holder"], name="entitlement_holder")]

    def __str__(self) -> str:
        return f"{self.holder} may use {self.onchain_agent_id} until {self.expires_at}"


class EntitlementFact(ChainFact):
    """One change of a holder's expiry."""

    entitlement = models.ForeignKey(Entitlement, on_delete=models.CASCADE, related_name="facts")
    expires_at = Uint256Field(help_text="Unix seconds; 0 is none, 2**64-1 is for ever.")

    def __str__(self) -> str:
        return f"expires_at {self.expires_at} in block {self.block_number}"
