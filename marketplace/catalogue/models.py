"""Agents, their versions and prices."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Upper
from uuid_utils.compat import uuid7

from chain.fields import AddressField, Uint256Field, uint256_check


class Category(models.Model):
    slug = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["position", "name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Agent(models.Model):
    """Something people buy access to. `onchain_id` is its token id in AgentNexusEntitlements."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        SUSPENDED = "suspended", "Suspended"
        ARCHIVED = "archived", "Archived"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    onchain_id = models.PositiveBigIntegerField(unique=True, editable=False)
    slug = models.SlugField(unique=True, max_length=60)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="agents")
    name = models.CharField(max_length=60)
    tagline = models.CharField(max_length=140)
    description = models.TextField(max_length=20_000, help_text="Markdown.")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="agents")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    network = models.SlugField(max_length=32)
    access_duration = models.PositiveBigIntegerField(default=0, help_text="Seconds; 0 is for ever.")
    search_vector = SearchVectorField(null=True, editable=False)
    purchase_count = models.PositiveIntegerField(default=0, editable=False)
    execution_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            GinIndex(fields=["search_vector"], name="agent_search_vector"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="agent_name_trigram"),
            models.Index(fields=["status", "-published_at"]),
            models.Index(fields=["category", "status"]),
        ]

    def __str__(self) -> str:
        return self.name


class AgentPrice(models.Model):
    """What access costs in one token, in its base units (wei for ETH). The zero address is ETH."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="prices")
    token = AddressField()
    amount = Uint256Field()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent", "token"], name="one_price_per_token"),
            uint256_check("agent_price_is_uint256", "amount"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="agent_price_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.token}"


class AgentVersion(models.Model):
    """A container image of an agent, pinned by digest, with the schemas of its input and output."""

    class Status(models.TextChoices):
        LIVE = "live", "Live"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="versions")
    number = models.CharField(max_length=20, help_text="Semantic version, for example 1.2.0.")
    image = models.CharField(max_length=300, help_text="repository@sha256:digest")
    input_schema = models.JSONField()
    output_schema = models.JSONField()
    example_input = models.JSONField(null=True, blank=True)
    release_notes = models.TextField(max_length=5_000, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.LIVE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent", "number"], name="one_row_per_version_number"),
        ]

    def __str__(self) -> str:
        return f"{self.agent} {self.number}"
