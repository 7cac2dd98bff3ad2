"""Agents, versions, prices, purchases and entitlements."""

import hashlib
import json
import secrets
from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from marketplace.catalogue.models import Agent, AgentPrice, AgentVersion, Category
from marketplace.purchases.models import LIFETIME, Entitlement, Purchase
from tests.factories.wallets import LinkedWalletFactory, UserFactory
from wallets.models import User

NATIVE = "0x0000000000000000000000000000000000000000"
INPUT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string", "title": "Text", "minLength": 1, "format": "multiline"}},
    "required": ["text"],
    "additionalProperties": False,
}
OUTPUT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"summary": {"type": "string", "contentMediaType": "text/markdown"}},
    "required": ["summary"],
}


def image_of(text: str) -> str:
    """A well-formed image reference whose digest is that of `text`."""
    return f"agentnexus/sample@sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class CategoryFactory(DjangoModelFactory[Category]):
    """One of the categories every installation has."""

    class Meta:
        model = Category
        django_get_or_create = ("slug",)

    slug = "writing"
    name = factory.LazyAttribute(lambda category: category.slug.capitalize())


class CreatorFactory(UserFactory):
    """Somebody with a wallet to be paid to."""

    class Meta:
        skip_postgeneration_save = True

    @factory.post_generation  # type: ignore[untyped-decorator]
    def wallet(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and extracted is not False:
            LinkedWalletFactory.create(user=self, **kwargs)


class AgentFactory(DjangoModelFactory[Agent]):
    """A draft without version or price; `PublishedAgentFactory` is one that can be bought."""

    class Meta:
        model = Agent

    creator = factory.SubFactory(CreatorFactory)
    slug = factory.Sequence(lambda number: f"agent-{number}-{secrets.token_hex(3)}")
    name = factory.Sequence(lambda number: f"Agent {number}")
    tagline = "Does one thing and does it well."
    description = "Takes a **text** and returns its summary."
    category = factory.SubFactory(CategoryFactory)
    network = "local"
    status = Agent.Status.DRAFT
    published_at = factory.LazyAttribute(lambda agent: None if agent.status == Agent.Status.DRAFT else timezone.now())


class AgentVersionFactory(DjangoModelFactory[AgentVersion]):
    class Meta:
        model = AgentVersion

    verdict = AgentVersion.Verdict.ACCEPTED
    agent = factory.SubFactory(AgentFactory)
    number = factory.Sequence(lambda number: f"1.0.{number}")
    image = factory.LazyAttribute(lambda version: image_of(f"{version.agent.pk} {version.number}"))
    input_schema = factory.LazyFunction(lambda: json.loads(json.dumps(INPUT_SCHEMA)))
    output_schema = factory.LazyFunction(lambda: json.loads(json.dumps(OUTPUT_SCHEMA)))
    example_input = factory.LazyFunction(lambda: {"text": "A long text."})


class AgentPriceFactory(DjangoModelFactory[AgentPrice]):
    """0.01 ETH."""

    class Meta:
        model = AgentPrice

    agent = factory.SubFactory(AgentFactory)
    token = NATIVE
    amount = 10**16


class PublishedAgentFactory(AgentFactory):
    """On sale: published, with a live version and a price of 0.01 ETH."""

    class Meta:
        skip_postgeneration_save = True

    status = Agent.Status.PUBLISHED
    version = factory.RelatedFactory(AgentVersionFactory, factory_related_name="agent", number="1.0.0")
    price = factory.RelatedFactory(AgentPriceFactory, factory_related_name="agent")


class PurchaseFactory(DjangoModelFactory[Purchase]):
    """A quote for 0.01 ETH that no chain knows."""

    class Meta:
        model = Purchase

    buyer = factory.SubFactory(CreatorFactory)
    agent = factory.SubFactory(PublishedAgentFactory)
    network = "local"
    token = NATIVE
    amount = 10**16
    quoted_fee_bps = 250
    fee_bps = 250
    access_duration = factory.LazyAttribute(lambda purchase: purchase.agent.access_duration)
    creator_address = factory.LazyAttribute(lambda purchase: purchase.agent.creator.primary_address)
    recipient = factory.LazyAttribute(lambda purchase: purchase.buyer.primary_address)
    salt = factory.LazyFunction(lambda: "0x" + secrets.token_hex(32))
    payment_id = factory.LazyFunction(lambda: "0x" + secrets.token_hex(32))
    signature = "0x" + "11" * 65
    valid_until = factory.LazyFunction(lambda: (timezone.now() + timedelta(minutes=15)).replace(microsecond=0))
    status = Purchase.Status.QUOTED


class EntitlementFactory(DjangoModelFactory[Entitlement]):
    """Confirmed access without end for `holder` to `agent`."""

    class Meta:
        model = Entitlement
        exclude = ("agent",)

    agent = factory.SubFactory(PublishedAgentFactory)
    network = factory.LazyAttribute(lambda entitlement: entitlement.agent.network)
    onchain_agent_id = factory.LazyAttribute(lambda entitlement: entitlement.agent.onchain_id)
    holder = factory.LazyFunction(lambda: LinkedWalletFactory.create().address)
    expires_at = LIFETIME
    seen_expires_at = factory.SelfAttribute("expires_at")


def grant_access(user: User, agent: Agent, expires_at: int = LIFETIME) -> Entitlement:
    """Confirmed access for the user's primary wallet; `expires_at` in unix seconds."""
    return EntitlementFactory.create(agent=agent, holder=user.primary_address, expires_at=expires_at)
