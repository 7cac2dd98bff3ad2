"""The error root of the platform, and the chain room's own errors."""

from collections.abc import Mapping


class DomainError(Exception):
    """Something a person or an integrator can be told.

    `code` is stable and machine-readable; `message` is a sentence that says what to do; `permanent` says whether trying
    the same again is pointless; `fields` names offending members (field names or JSON pointers); `retry_after` is how
    many seconds to wait before trying again, where that is known.
    """

    code = "error"
    http_status = 400
    permanent = True

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        fields: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.fields = dict(fields or {})
        self.retry_after = retry_after


class ChainError(DomainError):
    """Root of the chain room's errors."""

    code = "chain_error"
    http_status = 503


class RpcUnavailableError(ChainError):
    """No endpoint of the network gave a usable answer; try again."""

    code = "rpc_unavailable"
    permanent = False


class RateLimitedError(RpcUnavailableError):
    """The endpoint refused because too much was asked of it; try again later or elsewhere."""

    code = "rpc_rate_limited"


class IncompleteAnswerError(RpcUnavailableError):
    """The endpoint answered with something that contradicts itself or what it said before; ask again."""

    code = "rpc_incomplete_answer"


class RangeTooLargeError(ChainError):
    """The endpoint does not answer `eth_getLogs` for so many blocks or results at once; ask for fewer."""

    code = "rpc_range_too_large"
    permanent = False


class RpcError(ChainError):
    """The node understood the call and refused it. `rpc_code` and `data` are the JSON-RPC error's."""

    code = "rpc_error"

    def __init__(self, message: str, *, rpc_code: int = 0, data: object = None) -> None:
        super().__init__(message)
        self.rpc_code = rpc_code
        self.data = data


class WrongChainError(ChainError):
    """An endpoint answers for another chain than the one configured."""

    code = "wrong_chain"


class ChainResetError(ChainError):
    """The node's chain is not the one the database was filled from."""

    code = "chain_reset"


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


class DeploymentError(ChainError):
    """A deployment cannot go on; the message says why and what to do."""

    code = "deployment_failed"


class MissingKeyError(ChainError):
    """A private key that the operation needs is not configured, or may not be used on this network."""

    code = "missing_key"


class InvalidAmountError(ChainError):
    code = "invalid_amount"
    http_status = 422
