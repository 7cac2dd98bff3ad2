"""Writing purchases, credits and withdrawals anew from the escrow's events that we have."""

from django.db import transaction

from chain.artefacts import ESCROW
from chain.models import Event
from marketplace.payouts.ledger import note_withdrawal
from marketplace.purchases.facts import ESCROW_EVENTS, take_note


def rebuild(network: str) -> int:
    """Note every stored event of the escrow on `network` again, in order; the number of them.

    Noting one twice changes nothing, so this may run beside the listener, and again.
    """
    names = (*ESCROW_EVENTS, "Withdrawn")
    events = Event.objects.filter(network=network, contract=ESCROW, name__in=names)
    ids = list(events.order_by("block_number", "log_index").values_list("pk", flat=True))
    for pk in ids:
        with transaction.atomic():
            # Locked as the listener locks it, so that its status is the newest.
            event = Event.objects.select_for_update().get(pk=pk)
            note = note_withdrawal if event.name == "Withdrawn" else take_note
            note(event, Event.Status(event.status))
    return len(ids)
