"""The marketplace room's errors."""

from chain.errors import DomainError


class MarketplaceError(DomainError):
    """Root of the marketplace room's errors."""

    code = "marketplace_error"
    http_status = 422


class NotYoursError(MarketplaceError):
    """The object belongs to somebody else."""

    code = "not_yours"
    http_status = 403


class InvalidTransitionError(MarketplaceError):
    """The row is in a state that does not allow the operation."""

    code = "invalid_transition"
    http_status = 409


class InvalidAgentError(MarketplaceError):
    """Values of an agent that are refused; `fields` says which and why."""

    code = "invalid_agent"


class InvalidVersionError(MarketplaceError):
    """Values of a version that are refused; `fields` says which and why."""

    code = "invalid_version"


class NotPublishableError(MarketplaceError):
    """Something that a published agent needs is missing."""

    code = "not_publishable"
    http_status = 409


class NotForSaleError(MarketplaceError):
    """The agent cannot be bought: it is not published, or cannot run, or has no price in the wanted token."""

    code = "not_for_sale"
    http_status = 409


class OwnAgentError(MarketplaceError):
    """Creators have access to their own agents and need not buy it."""

    code = "own_agent"
    http_status = 409


class AlreadyOwnedError(MarketplaceError):
    """The buyer's access has no end already."""

    code = "already_owned"
    http_status = 409


class InvalidPurchaseError(MarketplaceError):
    """A value of the request for a quote that is refused; `fields` says which and why."""

    code = "invalid_purchase"


class IdempotencyConflictError(MarketplaceError):
    """The idempotency key was used for another purchase."""

    code = "idempotency_conflict"
    http_status = 409


class InsufficientBalanceError(MarketplaceError):
    """The payer holds less than the price. Amounts are base units."""

    code = "insufficient_balance"
    permanent = False

    def __init__(self, message: str, *, needed: int, available: int) -> None:
        super().__init__(message, fields={"needed": str(needed), "available": str(available)})
        self.needed = needed
        self.available = available


class QuoteOverError(MarketplaceError):
    """The quote was paid already or can no longer be paid."""

    code = "quote_over"
    http_status = 409


class InvalidStatementError(MarketplaceError):
    """A dispute's text or decision that is refused; `fields` says which value and why."""

    code = "invalid_statement"


class InvalidAuthorizationError(MarketplaceError):
    """A signature that does not pay this purchase."""

    code = "invalid_authorization"


class NothingOwedError(MarketplaceError):
    """The escrow holds no credit of the account in the token."""

    code = "nothing_owed"
    http_status = 409


class InvalidSearchError(MarketplaceError):
    """A search with an unknown ordering."""

    code = "invalid_search"


class InvalidSecretError(MarketplaceError):
    """A secret or credential that is refused; `fields` says why."""

    code = "invalid_secret"


class VaultError(MarketplaceError):
    """A stored secret cannot be read: the installation's keys do not fit."""

    code = "vault_closed"
    http_status = 503


class StorageAwayError(MarketplaceError):
    """The storage for files does not answer, or refuses."""

    code = "storage_away"
    http_status = 503
    permanent = False
