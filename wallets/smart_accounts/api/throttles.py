"""How often a person may open accounts and build operations: each costs questions to node and bundler."""

from rest_framework.exceptions import Throttled

from wallets.models import User
from wallets.rates import Rate

OPERATIONS = Rate("user-operations", limit=30, seconds=60)
ACCOUNTS = Rate("smart-accounts", limit=10, seconds=60)


def limit(rate: Rate, user: User) -> None:
    """Count one. Raises Throttled (429 with Retry-After), RateUnavailableError when it cannot be counted."""
    wait = rate.hit(f"user:{user.pk}")
    if wait:
        raise Throttled(wait)
