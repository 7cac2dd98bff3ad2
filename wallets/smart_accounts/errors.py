"""What can go wrong with smart accounts and their operations."""

from wallets.errors import WalletError


class SmartAccountError(WalletError):
    """Root of this slice's errors."""

    code = "smart_account_error"
    http_status = 422


class NotOfferedError(SmartAccountError):
    """No bundler is configured, or the contracts are not deployed."""

    code = "smart_accounts_not_offered"
    http_status = 409


class AccountNotFoundError(SmartAccountError):
    code = "smart_account_not_found"
    http_status = 404


class AccountTakenError(SmartAccountError):
    code = "smart_account_taken"
    http_status = 409


class PasskeyError(SmartAccountError):
    """What the browser's authenticator answered is not what was asked for."""

    code = "passkey_invalid"


class CallNotAllowedError(SmartAccountError):
    """Operations are built for our own contracts and for plain transfers only."""

    code = "call_not_allowed"


class OperationInFlightError(SmartAccountError):
    """An earlier operation of the account has not come to an end."""

    code = "operation_in_flight"
    http_status = 409
    permanent = False


class WrongStateError(SmartAccountError):
    """The operation's state does not allow it."""

    code = "wrong_state"
    http_status = 409


class SignatureInvalidError(SmartAccountError):
    code = "signature_invalid"


class InsufficientGasError(SmartAccountError):
    """The account cannot pay for the operation's value and gas. Both figures in wei."""

    code = "insufficient_balance"

    def __init__(self, message: str, *, needed: int, available: int) -> None:
        super().__init__(message, fields={"needed": str(needed), "available": str(available)})
        self.needed, self.available = needed, available


class BundlerUnavailableError(SmartAccountError):
    """No bundler answered: whether one of them has the operation is not known."""

    code = "bundler_unavailable"
    http_status = 503
    permanent = False


class BundlerRefusedError(SmartAccountError):
    """A bundler understood and refused. `code` is the EntryPoint's (`aa21` ...) or names the RPC error."""

    code = "bundler_refused"


class PaymasterRefusedError(SmartAccountError):
    """Nobody pays this operation's gas."""

    code = "not_sponsored"
