"""Forgetting a local chain that was wiped."""

from django.db import transaction

from chain import events
from chain.models import Block, Cursor, Deployment, Event, OutboxTransaction, SendingAccount
from chain.networks import Network


def forget_network(network: Network) -> int:
    """Undo every event of a local `network` through its handlers, newest first, and delete what we knew of the chain.

    The number of events undone. Raises ValueError for a network that is not local: such a chain does not vanish.
    """
    if not network.is_local:
        raise ValueError(f"{network.name} is not a local chain")
    slug = network.slug
    with transaction.atomic():
        Cursor.objects.select_for_update().filter(network=slug).first()  # waits for a listener that is writing
        live = Event.objects.filter(network=slug).exclude(status=Event.Status.REVERTED)
        undone = 0
        for event in live.order_by("-block_number", "-log_index"):
            events.dispatch("reverted", event)
            undone += 1
        for model in (Event, Block, Cursor, OutboxTransaction, SendingAccount, Deployment):
            model.objects.filter(network=slug).delete()
    return undone
