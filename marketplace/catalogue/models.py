"""Agents, their versions and prices."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models.functions import Cast
from uuid_utils.compat import uuid7

from chain.fields import AddressField, Uint256Field, uint256_check
from marketplace.catalogue import runtimes
from marketplace.catalogue.columns import DocumentField
from marketplace.catalogue.demands import Share, share_of
from wallets.models import User

# Created by the initial migration: numbers are handed out without locks, and one is never given twice.
ONCHAIN_ID_SEQUENCE = "marketplace_agent_onchain_id"
TEXT_SEARCH_CONFIG = "english"


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


class AgentQuerySet(models.QuerySet["Agent"]):
    def published(self) -> AgentQuerySet:
        return self.filter(status=Agent.Status.PUBLISHED)

    def visible_to(self, user: User | AnonymousUser) -> AgentQuerySet:
        """Agents whose page `user` may read.

        Everybody sees published ones. Drafts are their creator's. Suspended and archived ones stay readable to their
        creator and to those who paid for them. Staff see all.
        """
        public = models.Q(status=Agent.Status.PUBLISHED)
        if not user.is_authenticated:
            return self.filter(public)
        if user.acts_as_staff:
            return self
        left = models.Q(status__in=[Agent.Status.SUSPENDED, Agent.Status.ARCHIVED])
        # A subquery, as a join would repeat an agent for each of its purchases.
        paid = models.Q(pk__in=Agent.objects.filter(purchases__buyer=user, purchases__deposited_at__isnull=False))
        return self.filter(public | models.Q(creator=user) | (left & paid))

    def with_live_version(self) -> AgentQuerySet:
        """Adds one query that brings each agent's `live_version`."""
        newest = AgentVersion.objects.usable().order_by("agent_id", "-sort_key").distinct("agent_id")
        return self.prefetch_related(models.Prefetch("versions", newest, to_attr="prefetched_live_version"))

    def with_newest_version(self) -> AgentQuerySet:
        """Adds one query that brings `newest_versions`: the highest version that is not withdrawn, checked or not."""
        newest = AgentVersion.objects.live().order_by("agent_id", "-sort_key").distinct("agent_id")
        return self.prefetch_related(models.Prefetch("versions", newest, to_attr="newest_versions"))

    def with_listing(self) -> AgentQuerySet:
        """Everything a list or a page of agents shows: category, creator and wallets, prices, live version."""
        related = self.select_related("category", "creator").prefetch_related("creator__wallets", "prices")
        # The vector is for the database only, and large.
        return related.defer("search_vector").with_live_version()


class AgentVersionQuerySet(models.QuerySet["AgentVersion"]):
    def live(self) -> AgentVersionQuerySet:
        return self.filter(status=AgentVersion.Status.LIVE)

    def usable(self) -> AgentVersionQuerySet:
        """Those that can be bought and run."""
        return self.live().filter(verdict=AgentVersion.Verdict.ACCEPTED)

    def newest_first(self) -> AgentVersionQuerySet:
        """By number, highest first."""
        return self.order_by("-sort_key")


class Agent(models.Model):
    """Something people buy access to. `onchain_id` is its token id in AgentNexusEntitlements."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        SUSPENDED = "suspended", "Suspended"
        ARCHIVED = "archived", "Archived"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    onchain_id = models.PositiveBigIntegerField(
        unique=True,
        editable=False,
        db_default=models.Func(models.Value(ONCHAIN_ID_SEQUENCE), function="nextval"),
        help_text="Token id of its access in the entitlements contract.",
    )
    slug = models.SlugField(unique=True, max_length=60)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="agents")
    name = models.CharField(max_length=60)
    tagline = models.CharField(max_length=140)
    description = models.TextField(max_length=20_000, help_text="Markdown.")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="agents")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    network = models.SlugField(max_length=32)
    access_duration = models.PositiveBigIntegerField(default=0, help_text="Seconds; 0 is for ever.")
    # A stored generated column rather than a trigger or a step of each operation: whatever writes the row (an
    # operation, the admin, a bulk update, SQL by hand), the vector cannot differ from the text.
    search_vector = models.GeneratedField(
        expression=(
            SearchVector("name", weight="A", config=TEXT_SEARCH_CONFIG)
            + SearchVector("tagline", weight="B", config=TEXT_SEARCH_CONFIG)
            + SearchVector("category_id", weight="C", config=TEXT_SEARCH_CONFIG)
            + SearchVector("description", weight="D", config=TEXT_SEARCH_CONFIG)
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    purchase_count = models.PositiveIntegerField(default=0, editable=False)
    execution_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True, blank=True, help_text="When it was first published.")

    objects = AgentQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            GinIndex(fields=["search_vector"], name="agent_search_vector"),
            GinIndex(OpClass("name", name="gin_trgm_ops"), name="agent_name_trigram"),
            GinIndex(OpClass("tagline", name="gin_trgm_ops"), name="agent_tagline_trigram"),
            models.Index(fields=["status", "-published_at", "-id"], name="agent_newest"),
            models.Index(fields=["status", "-purchase_count", "-id"], name="agent_popular"),
            models.Index(fields=["category", "status"], name="agent_category"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(status="draft") | models.Q(status="archived") | models.Q(published_at__isnull=False),
                name="published_agent_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def live_version(self) -> AgentVersion | None:
        """The version that runs: the highest number that is accepted and not withdrawn.

        Costs a query unless the agent came from `with_live_version()`.
        """
        prefetched: list[AgentVersion] | None = getattr(self, "prefetched_live_version", None)
        if prefetched is not None:
            return prefetched[0] if prefetched else None
        return self.versions.usable().newest_first().first()


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
        indexes: ClassVar = [models.Index(fields=["token", "amount"], name="agent_price_amount")]

    def __str__(self) -> str:
        return f"{self.amount} of {self.token}"


class AgentVersion(models.Model):
    """What runs of an agent - a container image or a WebAssembly module, pinned by digest - with the schemas of its
    input and output."""

    class Kind(models.TextChoices):
        CONTAINER = "container", "Container image"
        WASM = "wasm", "WebAssembly module"

    class Status(models.TextChoices):
        LIVE = "live", "Live"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Verdict(models.TextChoices):
        PENDING = "pending", "Being checked"
        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="versions")
    number = models.CharField(max_length=20, help_text="Semantic version, for example 1.2.0.")
    # Sorts numbers as numbers (1.10.0 after 1.9.0) inside the database.
    sort_key = models.GeneratedField(
        expression=Cast(
            models.Func(models.F("number"), models.Value("."), function="string_to_array"),
            ArrayField(models.IntegerField()),
        ),
        output_field=ArrayField(models.IntegerField()),
        db_persist=True,
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CONTAINER)
    image = models.CharField(max_length=300, blank=True, help_text="repository@sha256:digest, of a container")
    module = models.CharField(max_length=64, blank=True, help_text="SHA-256 of a WebAssembly module")
    input_schema = DocumentField()
    output_schema = DocumentField()
    example_input = DocumentField(null=True, blank=True)
    release_notes = models.TextField(max_length=5_000, blank=True)
    memory_bytes = models.PositiveBigIntegerField(null=True, blank=True, help_text="Empty: the platform's usual.")
    nano_cpus = models.PositiveBigIntegerField(null=True, blank=True, help_text="Billionths of a core.")
    timeout_seconds = models.PositiveIntegerField(null=True, blank=True, help_text="How long a run may take.")
    gpus = models.PositiveSmallIntegerField(default=0, help_text="GPUs that a run gets.")
    runtime = models.CharField(max_length=32, blank=True, help_text="OCI runtime, such as runsc.")
    hosts = ArrayField(
        models.CharField(max_length=260), default=list, blank=True, help_text="name:port of each host it may reach."
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.LIVE)
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(
        max_length=10, choices=Verdict.choices, default=Verdict.PENDING, help_text="Whether its image may be run."
    )
    verdict_reason = models.CharField(max_length=400, blank=True, help_text="Why it was refused, or still waits.")
    check_at = models.DateTimeField(null=True, blank=True, help_text="When its image is looked at next; empty: now.")
    check_asked_at = models.DateTimeField(null=True, blank=True, help_text="When it was last asked to be checked anew.")
    check_attempts = models.PositiveSmallIntegerField(default=0)

    objects = AgentVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent", "number"], name="one_row_per_version_number"),
            models.CheckConstraint(
                condition=(models.Q(kind="container", module="") & ~models.Q(image=""))
                | (models.Q(kind="wasm", image="") & ~models.Q(module="")),
                name="version_has_what_its_kind_runs",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["agent", "-sort_key"], name="agent_version_order"),
            models.Index(fields=["check_at"], name="version_to_check", condition=models.Q(verdict="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.agent} {self.number}"

    @property
    def share(self) -> Share:
        """Memory, processor and time that a run gets."""
        return share_of(self)

    @property
    def runs_in(self) -> str:
        """What is around a run, as people call it."""
        return "WebAssembly" if self.kind == self.Kind.WASM else runtimes.surroundings(self.runtime)

    @property
    def being_checked(self) -> bool:
        """Whether its image is still to be accepted or refused."""
        return self.status == self.Status.LIVE and self.verdict == self.Verdict.PENDING

    @property
    def reference(self) -> str:
        """What runs, by its digest, as people read it."""
        return self.image if self.kind == self.Kind.CONTAINER else f"wasm@sha256:{self.module}"


class WasmModule(models.Model):
    """A WebAssembly module that a creator brought; its content is in the private storage under its SHA-256."""

    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="wasm_modules")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(help_text="Bytes.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            # Only who brought a module may publish it; two creators may bring the same.
            models.UniqueConstraint(fields=["creator", "sha256"], name="one_row_per_creator_and_module"),
        ]

    def __str__(self) -> str:
        return f"wasm@sha256:{self.sha256[:12]}"
