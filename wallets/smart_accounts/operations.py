"""From the wish to do something to a signed operation with a bundler. What becomes of it is read in `following`.

An account has at most one operation in flight, and a new one takes the nonce that the last one left: whatever is lost,
repeated or signed twice, only one operation of a nonce can ever happen.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from chain.calls import Call
from chain.networks import Network, get_network
from chain.outbox import fees
from chain.rpc import pool_of
from chain.tokens import format_units
from wallets.models import SmartAccount, User, UserOperation
from wallets.smart_accounts import accounts, calls, entry_point, gas, keys, signing
from wallets.smart_accounts.bundler import bundlers_of
from wallets.smart_accounts.calls import Checked
from wallets.smart_accounts.entry_point import ENTRY_POINT
from wallets.smart_accounts.errors import (
    AccountNotFoundError,
    BundlerRefusedError,
    BundlerUnavailableError,
    InsufficientGasError,
    OperationInFlightError,
    PaymasterRefusedError,
    SignatureInvalidError,
    WrongStateError,
)
from wallets.smart_accounts.paymaster import max_gas_cost, paymaster_for, require_quota
from wallets.smart_accounts.signing import Assertion
from wallets.smart_accounts.states import IN_FLIGHT, Happening, Status, sources, target
from wallets.smart_accounts.user_op import UserOp

log = structlog.get_logger(__name__)

SIGN_SECONDS = 15 * 60
# What an operation uses, more or less, where no estimate can be had.
ROUGH_GAS = 400_000


def build(
    account: SmartAccount,
    wished: Sequence[Call],
    *,
    purpose: str = "",
    sponsored: bool | None = None,
    idempotency_key: str | None = None,
) -> UserOperation:
    """An operation that makes the calls, with its gas estimated, for the owner to sign within 15 minutes.

    `sponsored`: True wants somebody else to pay the gas, False does not, None takes it where it is offered. The same
    `idempotency_key` gives the same operation.

    Raises CallNotAllowedError, OperationInFlightError, NotOfferedError, BundlerRefusedError (it would fail; why),
    BundlerUnavailableError, PaymasterRefusedError, InsufficientGasError; RpcUnavailableError of the chain.
    """
    earlier = _earlier(account, idempotency_key)
    if earlier is not None:
        return earlier
    network = get_network(account.network)
    accounts.require_offered(network)
    allowed = calls.checked(network, account.address, wished)
    return build_checked(account, allowed, purpose=purpose, sponsored=sponsored, idempotency_key=idempotency_key)


def build_checked(
    account: SmartAccount,
    allowed: Checked,
    *,
    purpose: str = "",
    sponsored: bool | None = None,
    idempotency_key: str | None = None,
) -> UserOperation:
    """The same for calls that were judged already. Raises what `build` raises."""
    network = get_network(account.network)
    accounts.require_offered(network)
    _require_none_in_flight(account)
    op = UserOp(
        sender=account.address,
        nonce=entry_point.nonce_of(network, account.address),
        call_data=calls.encoded(allowed.calls),
        signature=signing.dummy_signature(account),
    )
    if not accounts.is_deployed(account):
        creation = accounts.creation(account)
        op = op.with_(factory=creation.to, factory_data=creation.data)
    now = fees.current(pool_of(network))
    op = op.with_(max_fee_per_gas=now.max_fee, max_priority_fee_per_gas=now.max_priority_fee)
    value = sum(call.value for call in allowed.calls)
    try:
        op = _with_gas(account, op, sponsored if allowed.sponsorable else _unsponsored(sponsored))
    except BundlerRefusedError:
        # The simulation of an account that is short of ether fails without saying so.
        _require_money(account, op.with_(verification_gas_limit=ROUGH_GAS), value)
        raise
    _require_money(account, op, value)
    row = _row(account, network, op)
    row.calls = [{key: value for key, value in call.as_json().items() if key != "chainId"} for call in allowed.calls]
    row.purpose = (purpose or allowed.purpose)[:120]
    row.idempotency_key = idempotency_key
    return _kept(row)


def submit(user: User, operation: UserOperation, signature: str | Assertion) -> UserOperation:
    """Take the owner's signature and hand the operation to a bundler.

    The signature is stored before anything is sent. When no bundler answers the operation is `unknown` and asked for
    again by itself; when every bundler refuses it, it is `failed` with the reason.

    Raises SignatureInvalidError, WrongStateError, OperationInFlightError.
    """
    account = operation.account
    _require_own(user, account)
    digest = bytes.fromhex(operation.user_op_hash[2:])
    if isinstance(signature, Assertion) != (account.owner_kind == SmartAccount.Owner.PASSKEY):
        raise SignatureInvalidError(f"This account's owner is a {account.get_owner_kind_display().lower()}.")
    if isinstance(signature, Assertion):
        raw = signing.by_passkey(keys.signers(operation), digest, signature)
    else:
        raw = signing.by_wallet(account, digest, signature)
    if not _claim(operation, raw):
        return operation
    return send(operation)


def send(operation: UserOperation) -> UserOperation:
    """Hand the signed bytes to a bundler, for the first time or again: that changes nothing about them."""
    network = get_network(operation.account.network)
    UserOperation.objects.filter(pk=operation.pk).update(sent_at=timezone.now())
    first = operation.status == Status.SIGNED
    try:
        bundler = bundlers_of(network).send(UserOp.of(operation))
    except BundlerRefusedError as exc:
        if first:
            move(operation, Happening.REFUSE, code=exc.code, detail=exc.message[:500], closed_at=timezone.now())
        else:
            # Somebody may have had it before; only the chain can say that it is over.
            UserOperation.objects.filter(pk=operation.pk, status=operation.status).update(detail=exc.message[:500])
    except BundlerUnavailableError as exc:
        move(operation, Happening.LOSE_SIGHT, detail=exc.message[:500])
    else:
        move(operation, Happening.ACCEPT, bundler=bundler[:255], detail="")
    operation.refresh_from_db()
    return operation


def replace(user: User, operation: UserOperation) -> UserOperation:
    """The same calls and nonce with higher fees, to be signed: of the two only one can happen.

    Raises WrongStateError, PaymasterRefusedError, InsufficientGasError, RpcUnavailableError.
    """
    _require_own(user, operation.account)
    if operation.status not in IN_FLIGHT:
        raise WrongStateError("Only an operation on its way can be replaced; this one is not.")
    network = get_network(operation.account.network)
    before = UserOp.of(operation)
    newest = operation.account.operations.filter(nonce=operation.nonce).order_by("-max_fee_per_gas").first()
    paid = UserOp.of(newest) if newest is not None else before
    offered = fees.bumped(
        fees.Fees(paid.max_fee_per_gas, paid.max_priority_fee_per_gas), fees.current(pool_of(network))
    )
    op = before.with_(max_fee_per_gas=offered.max_fee, max_priority_fee_per_gas=offered.max_priority_fee, signature=b"")
    paymaster = paymaster_for(network) if op.paymaster else None
    if op.paymaster:
        if paymaster is None:
            raise PaymasterRefusedError("Nobody pays the gas of a replacement at the moment. Wait for the operation.")
        op = paymaster.final(op)
    else:
        _require_money(operation.account, op, operation.value)
    row = _row(operation.account, network, op)
    row.calls, row.purpose, row.replaces = operation.calls, operation.purpose, operation
    return _kept(row)


def move(operation: UserOperation, happening: Happening, **changes: object) -> bool:
    """Change the state, once: of two processes that see the same only one changes the row. Whether it was us."""
    after = target(operation.status, happening)
    if after is None:
        return False
    # The status in the condition closes the race with another process that looks after the same operation.
    moved = UserOperation.objects.filter(pk=operation.pk, status=operation.status).update(status=after, **changes)
    if moved:
        log.info(
            "user_operation_moved",
            operation=str(operation.pk),
            before=operation.status,
            status=after.value,
            user_op_hash=operation.user_op_hash,
            code=str(changes.get("code", "")),
        )
        operation.status = after
    return bool(moved)


def lapse() -> int:
    """Drop what nobody signed in time; the number. Its nonce was never used, so nothing is lost."""
    late = UserOperation.objects.filter(status__in=sources(Happening.LAPSE), expires_at__lt=timezone.now())
    detail = "It was not signed in time."
    return late.update(
        status=Status.DROPPED,
        code="not_signed",
        detail=detail,
        closed_at=timezone.now(),
        confirmed_at=timezone.now(),
    )


def own(user: User, operation_id: UUID) -> UserOperation:
    """An operation of the user's. Raises AccountNotFoundError."""
    found = UserOperation.objects.select_related("account").filter(pk=operation_id, account__user=user).first()
    if found is None:
        raise AccountNotFoundError("You have no such operation.", code="user_operation_not_found")
    return found


# ------------------------------------------------------------------ building


def _with_gas(account: SmartAccount, op: UserOp, sponsored: bool | None) -> UserOp:
    """`op` with its gas limits, and with a paymaster where there is one and it is wanted."""
    network = get_network(account.network)
    paymaster = None if sponsored is False else paymaster_for(network)
    if paymaster is None:
        if sponsored:
            raise PaymasterRefusedError(f"Nobody pays others' gas on {network.name}. Pay the gas yourself.")
        return gas.estimated(account, op)
    try:
        require_quota(account.user)
        return paymaster.final(gas.estimated(account, paymaster.stub(op)))
    except PaymasterRefusedError:
        if sponsored:
            raise
        return gas.estimated(account, op)


def _unsponsored(wanted: bool | None) -> bool:
    if wanted:
        raise PaymasterRefusedError("We pay the gas of purchases only. Pay the gas yourself.")
    return False


def _require_money(account: SmartAccount, op: UserOp, value: int) -> None:
    """Raises InsufficientGasError."""
    network = get_network(account.network)
    cost = 0 if op.paymaster else max_gas_cost(op)
    deposit = 0 if op.paymaster else entry_point.deposit_of(network, account.address)
    needed, available = value + max(0, cost - deposit), accounts.native_balance(account)
    if available < needed:
        symbol = network.native_symbol
        raise InsufficientGasError(
            f"The smart account holds {format_units(available, 18)} {symbol} and needs up to "
            f"{format_units(needed, 18)} {symbol}, {format_units(cost, 18)} of it for gas. "
            f"Send at least {format_units(needed - available, 18)} {symbol} to {account.address}.",
            needed=needed,
            available=available,
        )


def _row(account: SmartAccount, network: Network, op: UserOp) -> UserOperation:
    return UserOperation(
        account=account,
        entry_point=ENTRY_POINT,
        user_op_hash="0x" + op.hash(ENTRY_POINT, network.chain_id).hex(),
        nonce=op.nonce,
        factory=op.factory or None,
        factory_data=op.factory_data,
        call_data=op.call_data,
        call_gas_limit=op.call_gas_limit,
        verification_gas_limit=op.verification_gas_limit,
        pre_verification_gas=op.pre_verification_gas,
        max_fee_per_gas=op.max_fee_per_gas,
        max_priority_fee_per_gas=op.max_priority_fee_per_gas,
        paymaster=op.paymaster or None,
        paymaster_verification_gas_limit=op.paymaster_verification_gas_limit,
        paymaster_post_op_gas_limit=op.paymaster_post_op_gas_limit,
        paymaster_data=op.paymaster_data,
        expires_at=timezone.now() + timedelta(seconds=SIGN_SECONDS),
        scanned_to=max(0, int(pool_of(network).call("eth_blockNumber"), 16) - network.confirmations),
    )


def _kept(row: UserOperation) -> UserOperation:
    """Store a new operation, or give the one that is the same: asked for twice at once, or built twice unchanged."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        earlier = _earlier(row.account, row.idempotency_key) or _same(row)
        if earlier is None:
            raise
        return earlier
    return row


def _same(row: UserOperation) -> UserOperation | None:
    """The earlier operation with the same hash: it is the same operation, also when it lapsed unsigned meanwhile."""
    late = UserOperation.objects.filter(user_op_hash=row.user_op_hash, status=Status.DROPPED, signature=b"")
    late.update(status=Status.BUILT, code="", detail="", closed_at=None, confirmed_at=None, expires_at=row.expires_at)
    return UserOperation.objects.select_related("account").filter(user_op_hash=row.user_op_hash).first()


def _earlier(account: SmartAccount, idempotency_key: str | None) -> UserOperation | None:
    if idempotency_key is None:
        return None
    return account.operations.filter(idempotency_key=idempotency_key).first()


# ------------------------------------------------------------------ signing


def _claim(operation: UserOperation, signature: bytes) -> bool:
    """Keep the signature; False when the same operation was signed before, by a repeat of this request.

    Raises WrongStateError, OperationInFlightError.
    """
    with transaction.atomic():
        # The account's lock closes the race of two operations signed at once.
        SmartAccount.objects.select_for_update().get(pk=operation.account_id)
        operation.refresh_from_db(fields=["status", "expires_at", "signature", "replaces"])
        if operation.status in IN_FLIGHT or operation.status == Status.INCLUDED:
            return False
        if operation.status != Status.BUILT or operation.expires_at <= timezone.now():
            raise WrongStateError("This operation can no longer be signed. Build a new one.")
        _require_none_in_flight(operation.account, of_nonce=operation.nonce if operation.replaces_id else None)
        operation.signature = signature
        return move(operation, Happening.SIGN, signature=signature, signed_at=timezone.now())


def _require_none_in_flight(account: SmartAccount, of_nonce: int | None = None) -> None:
    """Raises OperationInFlightError; operations with the nonce `of_nonce` do not count, as they are being replaced."""
    others = account.operations.filter(status__in=IN_FLIGHT)
    if of_nonce is not None:
        others = others.exclude(nonce=of_nonce)
    if others.exists():
        raise OperationInFlightError(
            "An operation of this account is still on its way. Wait until it is done, or raise its fees."
        )


def _require_own(user: User, account: SmartAccount) -> None:
    accounts.own(user, account.pk)
