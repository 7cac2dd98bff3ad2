"""Mirroring who may use what from the entitlements contract. The last event in the chain's order wins."""

from collections.abc import Sequence

import structlog
from django.db import transaction

from chain.models import Event
from marketplace.purchases.facts import noted
from marketplace.purchases.models import Entitlement, EntitlementFact

log = structlog.get_logger(__name__)


def on_seen(event: Event) -> None:
    """The change is in a block of the chain as we know it."""
    take_note(event, Event.Status.SEEN)


def on_confirmed(event: Event) -> None:
    """The network's number of blocks lies above the change."""
    take_note(event, Event.Status.CONFIRMED)


def on_reverted(event: Event) -> None:
    """The change's block is no longer part of the chain."""
    take_note(event, Event.Status.REVERTED)


def take_note(event: Event, status: Event.Status) -> None:
    """Keep the change with `status` and read the holder's expiry anew from all changes that hold."""
    with transaction.atomic():
        entitlement, _ = Entitlement.objects.select_for_update().get_or_create(
            network=event.network,
            onchain_agent_id=int(event.args["agentId"]),
            holder=event.args["holder"],
            defaults={"expires_at": 0, "seen_expires_at": 0},
        )
        fact = noted(EntitlementFact, event, status)
        fact.entitlement = entitlement
        fact.expires_at = int(event.args["expiresAt"])
        fact.save()
        seen, given = expiries(list(entitlement.facts.exclude(status=Event.Status.REVERTED)))
        if (entitlement.seen_expires_at, entitlement.expires_at) == (seen, given):
            return
        entitlement.seen_expires_at, entitlement.expires_at = seen, given
        entitlement.save(update_fields=["seen_expires_at", "expires_at", "updated_at"])
    log.info(
        "entitlement_changed",
        network=event.network,
        agent=event.args["agentId"],
        holder=event.args["holder"],
        expires_at=str(given),
    )


def expiries(facts: Sequence[EntitlementFact]) -> tuple[int, int]:
    """(what the newest change says, until when access is given) of changes in the chain's order.

    Access is given by confirmed changes, and taken back by any: the smaller of the newest confirmed one and the newest.
    """
    seen = facts[-1].expires_at if facts else 0
    confirmed = [fact.expires_at for fact in facts if fact.status == Event.Status.CONFIRMED]
    return seen, min(seen, confirmed[-1] if confirmed else 0)
