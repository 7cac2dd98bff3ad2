"""Sign-in limits as API errors."""

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from wallets.rates import Rate
from wallets.signin.client_ip import client_ip, rate_key


def limit_sign_in(request: Request, address: str | None = None) -> None:
    """Count one attempt of this client, and of this address when it is known.

    Raises Throttled (429 with Retry-After), RateUnavailableError.
    """
    _count(Rate("sign-in-ip", settings.SIGN_IN_ATTEMPTS_PER_IP, 60), rate_key(client_ip(request)))
    if address is not None:
        _count(Rate("sign-in-address", settings.SIGN_IN_ATTEMPTS_PER_ADDRESS, 60), address)


def _count(rate: Rate, key: str) -> None:
    wait = rate.hit(key)
    if wait:
        raise Throttled(wait)
