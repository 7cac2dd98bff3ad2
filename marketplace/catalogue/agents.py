"""Operations on agents: create, change, publish, archive, suspend, restore."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from chain.networks import default_network, get_network
from marketplace.catalogue.fields import AgentChanges, clean_agent
from marketplace.catalogue.models import Agent
from marketplace.catalogue.prices import replace_prices
from marketplace.catalogue.slugs import is_usable_slug, slug_candidates, slug_stem
from marketplace.catalogue.states import AgentAction, next_agent_status
from marketplace.catalogue.verdicts import newest_refused
from marketplace.catalogue.versions import add_version, withdraw_version
from marketplace.errors import InvalidAgentError, MarketplaceError, NotPublishableError, NotYoursError
from wallets.models import User

__all__ = [
    "add_version",
    "archive",
    "create_agent",
    "publish",
    "restore",
    "suspend",
    "update_agent",
    "withdraw_version",
]


def create_agent(
    creator: User,
    *,
    name: str,
    tagline: str,
    description: str,
    category: str,
    access_duration: int = 0,
    prices: Mapping[str, int] | None = None,
    network: str | None = None,
    slug: str | None = None,
) -> Agent:
    """A new draft of `creator`'s.

    `category` is a slug, `access_duration` seconds (0 is for ever), `prices` base units by token symbol or address,
    `network` a slug (the default network when not given). `slug` is made from the name when not given. Raises
    InvalidAgentError with a sentence for every field.
    """
    chosen = get_network(network) if network else default_network()
    changes = clean_agent(
        chosen,
        {
            "name": name,
            "tagline": tagline,
            "description": description,
            "category": category,
            "access_duration": access_duration,
            "prices": prices or {},
        },
    )
    if slug is not None:
        candidates = iter([_free_slug(slug)])
    else:
        stem = slug_stem(changes.columns["name"])
        taken = frozenset(Agent.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
        candidates = slug_candidates(stem, taken)
    return _insert(creator, chosen.slug, changes, candidates)


def _free_slug(slug: str) -> str:
    if not is_usable_slug(slug):
        raise InvalidAgentError(
            "This address cannot be used.", fields={"slug": "Use lower-case letters, digits and hyphens."}
        )
    if Agent.objects.filter(slug=slug).exists():
        raise InvalidAgentError("This address is taken.", fields={"slug": "Another agent has this address."})
    return slug


def _insert(creator: User, network: str, changes: AgentChanges, candidates: Iterator[str]) -> Agent:
    for slug in candidates:
        try:
            with transaction.atomic():
                agent = Agent.objects.create(creator=creator, network=network, slug=slug, **changes.columns)
                replace_prices(agent, changes.prices or {})
                return agent
        except IntegrityError:
            # Another request took this slug since `taken` was read; any other cause will not go away.
            if not Agent.objects.filter(slug=slug).exists():
                raise
    raise MarketplaceError("Too many agents of this name are being created. Choose another name or try again.")


def update_agent(agent: Agent, by: User, **values: Any) -> Agent:
    """Changes the given values (names as in `create_agent`, without network). The slug stays, so that links do.

    Raises NotYoursError, or InvalidAgentError, also when a published agent would lose its last price.
    """
    _require_creator(agent, by)
    changes = clean_agent(get_network(agent.network), values)
    with transaction.atomic():
        locked = Agent.objects.select_for_update().get(pk=agent.pk)
        if changes.prices == {} and locked.status == Agent.Status.PUBLISHED:
            raise InvalidAgentError(
                "A published agent needs a price.", fields={"prices": "Keep a price in at least one token."}
            )
        for column, value in changes.columns.items():
            setattr(locked, column, value)
        locked.save(update_fields=[*changes.columns, "updated_at"])
        if changes.prices is not None:
            replace_prices(locked, changes.prices)
    return locked


def publish(agent: Agent, by: User) -> Agent:
    """Puts the agent into the catalogue.

    Raises NotYoursError, InvalidTransitionError, or NotPublishableError, whose `fields` says what is missing of: a
    version that is neither withdrawn nor refused, a price, a wallet of the creator's to be paid to.
    """
    _require_creator(agent, by)
    with transaction.atomic():
        locked = Agent.objects.select_for_update().get(pk=agent.pk)
        status = next_agent_status(locked.status, AgentAction.PUBLISH)
        missing = _missing(locked)
        if missing:
            raise NotPublishableError(" ".join(missing.values()), fields=missing)
        locked.status = status
        locked.published_at = locked.published_at or Now()
        locked.save(update_fields=["status", "published_at", "updated_at"])
        locked.refresh_from_db(fields=["published_at"])
    return locked


def _missing(agent: Agent) -> dict[str, str]:
    missing = {}
    if not agent.versions.live().exists():
        missing["versions"] = "Add a version first."
    elif agent.live_version is None and (refused := newest_refused(agent)) is not None:
        missing["versions"] = f"Version {refused.number} was refused: {refused.verdict_reason} Add another version."
    if not agent.prices.exists():
        missing["prices"] = "Set a price in at least one token."
    if not agent.creator.primary_address:
        missing["creator"] = "Link a wallet, so that you can be paid."
    return missing


def archive(agent: Agent, by: User) -> Agent:
    """Takes the agent out of the catalogue. Those who bought access keep it. Raises NotYoursError,
    InvalidTransitionError."""
    _require_creator(agent, by)
    return _move(agent, AgentAction.ARCHIVE)


def suspend(agent: Agent, by: User) -> Agent:
    """Staff take a published agent out of the catalogue; its creator cannot undo it. Raises NotYoursError,
    InvalidTransitionError."""
    _require_staff(by)
    return _move(agent, AgentAction.SUSPEND)


def restore(agent: Agent, by: User) -> Agent:
    """Staff end a suspension. Raises NotYoursError, InvalidTransitionError."""
    _require_staff(by)
    return _move(agent, AgentAction.RESTORE)


def _move(agent: Agent, action: AgentAction) -> Agent:
    with transaction.atomic():
        locked = Agent.objects.select_for_update().get(pk=agent.pk)
        locked.status = next_agent_status(locked.status, action)
        locked.save(update_fields=["status", "updated_at"])
    return locked


def _require_creator(agent: Agent, by: User) -> None:
    if agent.creator_id != by.pk:
        raise NotYoursError("Only the agent's creator may do this.")


def _require_staff(by: User) -> None:
    if not by.acts_as_staff:
        raise NotYoursError("Only staff may do this.")
