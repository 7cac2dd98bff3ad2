"""Rate limits of the marketplace's API.

Money fails closed: when the counter cannot be read, no quote is given. Reading the catalogue fails open.
"""

from typing import ClassVar

import structlog
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from wallets.errors import RateUnavailableError
from wallets.rates import Rate
from wallets.signin.client_ip import client_ip, rate_key

log = structlog.get_logger(__name__)


class RateThrottle(BaseThrottle):
    """Counts by user, or by client address for anonymous requests. Without a counter the request fails (503)."""

    rate: ClassVar[Rate]

    def allow_request(self, request: Request, view: APIView) -> bool:
        self._wait = self.rate.hit(self._key(request))
        return self._wait == 0

    def wait(self) -> float | None:
        return self._wait

    @staticmethod
    def _key(request: Request) -> str:
        user = request.user
        return f"user:{user.pk}" if user and user.is_authenticated else f"ip:{rate_key(client_ip(request))}"


class QuoteThrottle(RateThrottle):
    """Each quote costs a signature and questions to the node."""

    rate = Rate("marketplace-quote", limit=30, seconds=60)


class SettleThrottle(RateThrottle):
    """Asking for the transactions that release, refund, dispute and withdraw, and writing statements."""

    rate = Rate("marketplace-settle", limit=60, seconds=60)


class PublishThrottle(RateThrottle):
    """Creating and changing agents and versions."""

    rate = Rate("marketplace-publish", limit=60, seconds=60)


class BrowseThrottle(RateThrottle):
    """Reading and searching. Goes on when Redis is away: the catalogue then still sells."""

    rate = Rate("marketplace-browse", limit=600, seconds=60)

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return super().allow_request(request, view)
        except RateUnavailableError:
            log.warning("browse_limit_unavailable")
            self._wait = 0
            return True
