"""What the marketplace hears of the chain."""

from chain import artefacts, events
from marketplace.payouts import ledger
from marketplace.purchases import entitlements, facts


def register() -> None:
    """Subscribe; called once when the app is ready."""
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
