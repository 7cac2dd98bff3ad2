"""The wallets room's errors."""

from chain.errors import DomainError


class WalletError(DomainError):
    """Root of the wallets room's errors."""

    code = "wallet_error"


class SignInError(WalletError):
    """A sign-in attempt that is refused; `code` says which check failed."""

    code = "siwe_malformed"
    http_status = 401


class WalletTakenError(WalletError):
    """The address is already linked to another account."""

    code = "wallet_taken"
    http_status = 409


class LastWayInError(WalletError):
    """Unlinking would leave the user with no way to sign in."""

    code = "last_way_in"
    http_status = 409
