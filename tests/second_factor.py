"""Second factors in tests: an authenticator app's secret and the code it shows now."""

import time

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from wallets.models import User

PERIOD = 30  # seconds that a code is shown


def set_up(user: User) -> str:
    """Give the user an authenticator app; returns its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def code(secret: str) -> str:
    """What the app shows now. The site takes the neighbouring codes as well, so no test runs out of time."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD)))
