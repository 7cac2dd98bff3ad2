"""What the marketplace hears of the chain."""

from chain import artefacts, audit, events
from marketplace.payouts import ledger, reconciling
from marketplace.purchases import entitlements, facts


def register() -> None:
    """Subscribe, and have the ledger compared wherever the chain is; called once when the app is ready."""
    audit.compare_also("ledger", reconciling.ledger_findings)
    for name in facts.ESCROW_EVENTS:
        events.subscribe(artefacts.ESCROW, name, events.Handlers(facts.on_seen, facts.on_confirmed, facts.on_reverted))
    events.subscribe(
        artefacts.ENTITLEMENTS,
        "EntitlementChanged",
        events.Handlers(entitlements.on_seen, entitlements.on_confirmed, entitlements.on_reverted),
    )
    events.subscribe(
        artefacts.ESCROW,
        "Withdrawn",
        events.Handlers(ledger.on_withdrawal_seen, ledger.on_withdrawal_confirmed, ledger.on_withdrawal_reverted),
    )
