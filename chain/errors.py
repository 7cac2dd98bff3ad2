"""The error root of the platform, and the chain room's own errors."""

from collections.abc import Mapping


class DomainError(Exception):
    """Something a person or an integrator can be told.

    `code` is stable and machine-readable; `message` is a sentence that says what to do; `permanent` says whether trying
    the same again is pointless; `fields` names offending members (field names or JSON pointers).
    """

    code = "error"
    http_status = 400
    permanent = True

    def __init__(self, message: str, *, code: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.fields = dict(fields or {})


class ChainError(DomainError):
    """Root of the chain room's errors."""

    code = "chain_error"
    http_status = 503


class RpcUnavailableError(ChainError):
    """No endpoint of the network gave a usable answer; try again."""

    code = "rpc_unavailable"
    permanent = False


class WrongChainError(ChainError):
    """An endpoint answers for another chain than the one configured."""

    code = "wrong_chain"


class UnknownNetworkError(ChainError):
    code = "unknown_network"
    http_status = 404


class UnknownTokenError(ChainError):
    code = "unknown_token"
    http_status = 422


class NotDeployedError(ChainError):
    """The contracts are not deployed on this network yet."""

    code = "not_deployed"
    permanent = False


class InvalidAmountError(ChainError):
    code = "invalid_amount"
    http_status = 422
