"""Purchases and the access they bring, as the chain tells us."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from chain.fields import AddressField, HashField, Uint256Field, uint256_check
from marketplace.catalogue.models import Agent


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
    fee_bps = models.PositiveSmallIntegerField(help_text="Platform fee in basis points, fixed at deposit.")
    access_duration = models.PositiveBigIntegerField(help_text="Seconds; 0 is for ever.")
    creator_address = AddressField()
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
    expires_at = models.DateTimeField(null=True, blank=True)
    refunded_amount = Uint256Field(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
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
            models.Index(fields=["buyer", "-id"]),
            models.Index(fields=["status", "valid_until"]),
        ]

    def __str__(self) -> str:
        return f"Purchase {self.pk}"


class Entitlement(models.Model):
    """A holder's access to an agent, mirrored from AgentNexusEntitlements."""

    network = models.SlugField(max_length=32)
    onchain_agent_id = Uint256Field()
    holder = AddressField()
    expires_at = Uint256Field(help_text="Unix seconds; 0 is none, 2**64-1 is for ever.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["network", "onchain_agent_id", "holder"], name="one_entitlement_per_holder"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["holder"])]

    def __str__(self) -> str:
        return f"{self.holder} may use {self.onchain_agent_id} until {self.expires_at}"
