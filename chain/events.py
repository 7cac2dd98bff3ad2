"""Where higher rooms say what they want to hear of the chain.

A handler runs inside the database transaction that stores its event and moves the cursor: its effects happen exactly
once, or not at all. It must not talk to the outside; messages go out with `transaction.on_commit`.

- `seen`: the event is in a block of the chain as we know it. The same event may be seen again after a reorg undid it.
- `confirmed`: the network's number of blocks lies above it.
- `reverted`: its block is no longer part of the chain. `event.status` still says what it was: seen or confirmed.

Events of one read come in the chain's order. An event that a node had withheld may come later than its successors.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from chain import artefacts
from chain.models import Event

Handler = Callable[[Event], None]
Kind = Literal["seen", "confirmed", "reverted"]


@dataclass(frozen=True, slots=True)
class Handlers:
    """What to call for an event; each may be left out."""

    seen: Handler | None = None
    confirmed: Handler | None = None
    reverted: Handler | None = None


_subscriptions: dict[tuple[str, str], list[Handlers]] = defaultdict(list)


def subscribe(contract: str, event: str, handlers: Handlers) -> None:
    """Have `handlers` called for `event` of `contract` on every network. Subscribing the same twice counts once.

    Raises ValueError for an event that the contract does not have.
    """
    if event not in artefacts.load(contract).interface.event_names():
        raise ValueError(f"{contract} has no event {event}")
    known = _subscriptions[contract, event]
    if handlers not in known:
        known.append(handlers)


def unsubscribe(contract: str, event: str, handlers: Handlers) -> None:
    """Take a subscription back."""
    _subscriptions[contract, event].remove(handlers)


def dispatch(kind: Kind, event: Event) -> None:
    """Call every subscribed handler of `event`, in the order of subscription."""
    for handlers in tuple(_subscriptions.get((event.contract, event.name), ())):
        handler: Handler | None = getattr(handlers, kind)
        if handler is not None:
            handler(event)
