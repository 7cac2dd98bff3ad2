"""The marketplace room's errors."""

from chain.errors import DomainError


class MarketplaceError(DomainError):
    """Root of the marketplace room's errors."""

    code = "marketplace_error"
    http_status = 422


class NotYoursError(MarketplaceError):
    code = "not_yours"
    http_status = 403


class InvalidTransitionError(MarketplaceError):
    """The row is in a state that does not allow the operation."""

    code = "invalid_transition"
    http_status = 409


class NotForSaleError(MarketplaceError):
    code = "not_for_sale"
    http_status = 409


class InvalidAgentError(MarketplaceError):
    code = "invalid_agent"
