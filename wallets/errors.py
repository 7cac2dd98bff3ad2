"""The wallets room's errors."""

from chain.errors import DomainError


class WalletError(DomainError):
    """Root of the wallets room's errors."""

    code = "wallet_error"


class SignInError(WalletError):
    """A sign-in attempt that is refused; `code` says which check failed."""

    code = "siwe_malformed"
    http_status = 401

    @classmethod
    def of(cls, code: str) -> "SignInError":
        """The error of one failed check, with its sentence."""
        return cls(_SENTENCES[code], code=code)

    @classmethod
    def every(cls) -> "list[SignInError]":
        """One of each, for the API's description."""
        return [cls.of(code) for code in _SENTENCES]


_SENTENCES = {
    "siwe_malformed": "This is not a sign-in message. Ask for a new one and sign it unchanged.",
    "siwe_too_large": "The sign-in message or its signature is too long. Ask for a new message and sign it unchanged.",
    "siwe_domain_mismatch": "The message names another site. Sign in only on the address shown in your browser.",
    "siwe_uri_mismatch": "The message is for another page address. Ask for a new message and sign it unchanged.",
    "siwe_statement_mismatch": "The message asks for something else than this step. Ask for a new message.",
    "siwe_unexpected_field": "The message carries more than a sign-in needs. Ask for a new one and sign it unchanged.",
    "siwe_chain_not_allowed": "Sign-in is not offered on this network. Choose another network in the wallet.",
    "siwe_address_mismatch": "The message is for another account. Choose the account you asked with, or ask again.",
    "siwe_expiration_missing": "The message never expires, which is not accepted. Ask for a new message.",
    "siwe_lifetime_too_long": "The message would stay valid for too long. Ask for a new message and sign it unchanged.",
    "siwe_expired": "The message has expired. Ask for a new one and sign it within a few minutes.",
    "siwe_not_yet_valid": "The message is not valid yet. Check your device's clock and ask for a new message.",
    "siwe_nonce_unknown": "This message was already used, or was issued to another browser. Ask for a new one.",
    "siwe_signature_invalid": "The signature does not belong to this account. Sign the message again with it.",
}


class SignInUnavailableError(WalletError):
    """Sign-in cannot be judged right now, so it is refused."""

    code = "sign_in_unavailable"
    http_status = 503
    permanent = False

    def __init__(self) -> None:
        super().__init__("Sign-in is not available right now. Try again in a minute.")


class RateUnavailableError(WalletError):
    """The counters cannot be read; what they guard is refused rather than left unguarded."""

    code = "unavailable"
    http_status = 503
    permanent = False

    def __init__(self) -> None:
        super().__init__("This is not available right now. Try again in a minute.")


class AccountSuspendedError(WalletError):
    """The account exists but may not be used."""

    code = "account_suspended"
    http_status = 403


class TokenError(WalletError):
    """An access or refresh token that is refused; `code` says why."""

    code = "token_invalid"
    http_status = 401

    @classmethod
    def of(cls, code: str) -> "TokenError":
        """The error of one failed check, with its sentence."""
        return cls(_TOKEN_SENTENCES[code], code=code)


_TOKEN_SENTENCES = {
    "token_invalid": "The token is not valid. Sign in again.",
    "token_expired": "The token has expired. Refresh it or sign in again.",
    "token_revoked": "The token was revoked. Sign in again.",
    "token_reused": "This refresh token was already used, so all tokens of this sign-in were revoked. Sign in again.",
    "account_suspended": "This account is suspended.",
}


class ApiKeyError(WalletError):
    """An API key that is refused; `code` says why."""

    code = "api_key_invalid"
    http_status = 401

    @classmethod
    def of(cls, code: str, http_status: int = 401) -> "ApiKeyError":
        """The error of one failed check, with its sentence."""
        error = cls(_API_KEY_SENTENCES[code], code=code)
        error.http_status = http_status
        return error


_API_KEY_SENTENCES = {
    "api_key_invalid": "The API key is not valid. Check that it was copied whole.",
    "api_key_expired": "The API key has expired. Make a new one.",
    "api_key_revoked": "The API key was revoked. Make a new one.",
    "api_key_rotated": "The API key was rotated already. Use its successor.",
    "account_suspended": "This account is suspended.",
}


class ApiKeyNotFoundError(WalletError):
    """The user has no such API key."""

    code = "api_key_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("You have no such API key.")


class ApiKeyLimitError(WalletError):
    """The user has as many API keys as one may have."""

    code = "api_key_limit"
    http_status = 409


class SessionNotFoundError(WalletError):
    """The user has no such session."""

    code = "session_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("You have no such session; it may have ended.")


class ProofRequiredError(WalletError):
    """The sign-in is too long ago for a change of how one gets into the account."""

    code = "reauthentication_required"
    http_status = 403

    def __init__(self) -> None:
        super().__init__("Confirm first that it is you: sign in again, then repeat this within five minutes.")


class NotForProgramsError(WalletError):
    """A step of the browser's session, asked for with tokens."""

    code = "session_only"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("Only a browser's session is confirmed. A program signs in again and uses the new tokens.")


class InvalidAddressError(WalletError):
    """Not an Ethereum address, or one whose checksum is wrong."""

    code = "invalid_address"
    http_status = 422


class WalletTakenError(WalletError):
    """The address is already linked to another account."""

    code = "wallet_taken"
    http_status = 409


class WalletNotLinkedError(WalletError):
    """The address is not one of the user's wallets."""

    code = "wallet_not_linked"
    http_status = 404


class StaffAccountError(WalletError):
    """Accounts of staff are not deleted by their owners."""

    code = "staff_account"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("You work here: ask another administrator to take your rights first, then delete the account.")


class LastWayInError(WalletError):
    """Unlinking would leave the user with no way to sign in."""

    code = "last_way_in"
    http_status = 409
