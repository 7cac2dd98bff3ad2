"""The errors that routes of smart accounts answer with, for the API's description."""

from wallets.api.described import problems
from wallets.errors import WalletNotLinkedError
from wallets.smart_accounts.errors import (
    AccountNotFoundError,
    AccountTakenError,
    BundlerRefusedError,
    BundlerUnavailableError,
    CallNotAllowedError,
    InsufficientGasError,
    NotOfferedError,
    OperationInFlightError,
    PasskeyError,
    PaymasterRefusedError,
    SignatureInvalidError,
    WrongStateError,
)

_NO_ACCOUNT = AccountNotFoundError("You have no such smart account.")
_NO_OPERATION = AccountNotFoundError("You have no such operation.", code="user_operation_not_found")
_NOT_OFFERED = NotOfferedError("Smart accounts are not offered on Base.")
_PASSKEY = PasskeyError("The passkey could not be checked. Start again and follow your browser.")
_IN_FLIGHT = OperationInFlightError(
    "An operation of this account is still on its way. Wait until it is done, or raise its fees."
)
_MONEY = InsufficientGasError(
    "The smart account holds 0 ETH and needs up to 0.0004 ETH, 0.0004 ETH of it for gas.",
    needed=4 * 10**14,
    available=0,
)
_NOT_SPONSORED = PaymasterRefusedError("We pay the gas of purchases only. Pay the gas yourself.")
_ESTIMATED = (
    BundlerRefusedError("The account holds too little ether to pay for gas. Send it some and try again.", code="aa21"),
    BundlerRefusedError("The operation would fail on the chain: NotForSale()", code="would_revert"),
    BundlerUnavailableError("No bundler answers at the moment. Try again in a minute."),
)

ACCOUNT = problems(_NO_ACCOUNT)
OPENING = problems(
    _NOT_OFFERED,
    WalletNotLinkedError("This address is not one of your wallets. Link it first."),
    AccountTakenError("This passkey owns a smart account already. Use another one."),
    _PASSKEY,
)
BUILDING = problems(
    _NO_ACCOUNT,
    _NOT_OFFERED,
    _IN_FLIGHT,
    CallNotAllowedError("Call 1 is not allowed. Only our escrow, its tokens and plain transfers can be called."),
    _MONEY,
    _NOT_SPONSORED,
    *_ESTIMATED,
)
KEYS = problems(
    _NO_ACCOUNT,
    _IN_FLIGHT,
    WrongStateError("This account has a backup already. Remove one of its two passkeys first."),
    _PASSKEY,
    PasskeyError("This passkey does not own the account.", code="passkey_not_found"),
    *_ESTIMATED,
)
OPERATION = problems(_NO_OPERATION)
SUBMITTING = problems(
    _NO_OPERATION,
    WrongStateError("This operation can no longer be signed. Build a new one."),
    _IN_FLIGHT,
    SignatureInvalidError("This is not a wallet's signature. Sign the operation again."),
)
REPLACING = problems(
    _NO_OPERATION,
    WrongStateError("Only an operation on its way can be replaced; this one is not."),
    _NOT_SPONSORED,
    _MONEY,
)
