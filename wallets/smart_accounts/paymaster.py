"""Who else pays an operation's gas: our own SponsorPaymaster, or a service that speaks ERC-7677.

A sponsorship binds the whole operation and its nonce, so it is used once or never. We sponsor only what serves our own
contracts, only so many operations a day for one user, and only up to a price.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from django.conf import settings
from web3 import Web3

from chain import artefacts
from chain.bindings.eip712 import Domain, digest
from chain.calls import deployed_at
from chain.errors import ChainError, NotDeployedError, RpcError
from chain.keys import get_signer
from chain.networks import Network
from chain.rpc.endpoint import Endpoint
from chain.tokens import format_units
from wallets.models import User
from wallets.rates import Rate
from wallets.smart_accounts import entry_point
from wallets.smart_accounts.entry_point import ENTRY_POINT
from wallets.smart_accounts.errors import PaymasterRefusedError
from wallets.smart_accounts.user_op import UserOp

# Measured: 31,000 for checking the signature, which is all it does. Nothing is left to do afterwards.
VERIFICATION_GAS = 60_000
VALID_SECONDS = 20 * 60
SERVICE_SECONDS = 10.0
_REQUEST = (
    "UserOperationRequest(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,"
    "uint256 preVerificationGas,bytes32 gasFees,uint256 paymasterVerificationGasLimit,uint256 paymasterPostOpGasLimit,"
    "uint48 validAfter,uint48 validUntil)"
)
_MEMBERS = ["address", "uint256", "bytes32", "bytes32", "bytes32", "uint256", "bytes32", *["uint256"] * 4]
_DUMMY = bytes(12) + b"\xff" * 64 + b"\x1c"


class Paymaster(Protocol):
    """Pays for operations."""

    def stub(self, op: UserOp) -> UserOp:
        """`op` with a paymaster, fit for estimating gas. Raises PaymasterRefusedError."""

    def final(self, op: UserOp) -> UserOp:
        """`op`, whose gas and fees are settled, with what makes the paymaster pay. Raises PaymasterRefusedError."""


def paymaster_for(network: Network) -> Paymaster | None:
    """Who pays on `network`: a service of the settings, else our own paymaster where there is one."""
    if network.paymaster_urls:
        return _service(network)
    if settings.KEYS.get("SPONSOR_KEY") and settings.SPONSORED_OPERATIONS_PER_DAY > 0:
        try:
            return OwnPaymaster(network, deployed_at(network, artefacts.SPONSOR_PAYMASTER))
        except NotDeployedError:
            return None
    return None


def require_quota(user: User) -> None:
    """Count one sponsorship of `user`. Raises PaymasterRefusedError, RateUnavailableError."""
    rate = Rate("sponsored-operations", settings.SPONSORED_OPERATIONS_PER_DAY, 24 * 3600)
    wait = rate.hit(f"user:{user.pk}")
    if wait:
        raise PaymasterRefusedError(
            f"We pay the gas of {rate.limit} operations a day; the next one in {_hours(wait)}. Pay the gas yourself."
        )


@dataclass(frozen=True, slots=True)
class OwnPaymaster:
    """SponsorPaymaster, for which SPONSOR_KEY signs."""

    network: Network
    address: str

    def stub(self, op: UserOp) -> UserOp:
        return op.with_(
            paymaster=self.address, paymaster_verification_gas_limit=VERIFICATION_GAS, paymaster_data=_DUMMY
        )

    def final(self, op: UserOp) -> UserOp:
        """Raises PaymasterRefusedError for what costs too much, or when the paymaster is out of money."""
        op = op.with_(paymaster_verification_gas_limit=VERIFICATION_GAS, paymaster_post_op_gas_limit=0)
        cost = max_gas_cost(op)
        if cost > settings.SPONSORED_OPERATION_WEI:
            raise PaymasterRefusedError(
                f"Gas costs up to {format_units(cost, 18)} ETH now, more than we pay for. Pay the gas yourself."
            )
        if entry_point.deposit_of(self.network, self.address) < cost:
            raise PaymasterRefusedError("Our paymaster has too little money left. Pay the gas yourself.")
        valid_after, valid_until = 0, int(time.time()) + VALID_SECONDS
        signature = get_signer("SPONSOR_KEY", self.network).sign_digest(self._digest(op, valid_after, valid_until))
        return op.with_(paymaster_data=valid_after.to_bytes(6) + valid_until.to_bytes(6) + signature)

    def _digest(self, op: UserOp, valid_after: int, valid_until: int) -> bytes:
        values = (
            op.sender,
            op.nonce,
            bytes(Web3.keccak(op.init_code)),
            bytes(Web3.keccak(op.call_data)),
            op.account_gas_limits,
            op.pre_verification_gas,
            op.gas_fees,
            op.paymaster_verification_gas_limit,
            op.paymaster_post_op_gas_limit,
            valid_after,
            valid_until,
        )
        return digest(Domain("SponsorPaymaster", "1", self.network.chain_id, self.address), _REQUEST, _MEMBERS, values)


class PaymasterService:
    """A paymaster behind JSON-RPC (https://eips.ethereum.org/EIPS/eip-7677); several are asked in turn."""

    def __init__(self, network: Network, endpoints: list[Endpoint] | None = None) -> None:
        self.network = network
        self._endpoints = endpoints or [Endpoint(url, read_seconds=SERVICE_SECONDS) for url in network.paymaster_urls]

    def stub(self, op: UserOp) -> UserOp:
        return self._asked("pm_getPaymasterStubData", op)

    def final(self, op: UserOp) -> UserOp:
        return self._asked("pm_getPaymasterData", op)

    def _asked(self, method: str, op: UserOp) -> UserOp:
        last: ChainError | None = None
        for endpoint in self._endpoints:
            try:
                answer = endpoint.call(method, op.as_rpc(), ENTRY_POINT, hex(self.network.chain_id), {})
                return op.with_(
                    paymaster=str(Web3.to_checksum_address(answer["paymaster"])),
                    paymaster_data=bytes.fromhex(str(answer["paymasterData"]).removeprefix("0x")),
                    paymaster_verification_gas_limit=_gas(
                        answer.get("paymasterVerificationGasLimit"), op.paymaster_verification_gas_limit
                    ),
                    paymaster_post_op_gas_limit=_gas(
                        answer.get("paymasterPostOpGasLimit"), op.paymaster_post_op_gas_limit
                    ),
                )
            except RpcError as exc:
                raise PaymasterRefusedError(
                    f"The paymaster does not pay for this: {exc.message[:200]}. Pay the gas yourself."
                ) from exc
            except ChainError as exc:
                last = exc
            except (KeyError, TypeError, ValueError) as exc:
                raise PaymasterRefusedError("The paymaster's answer is not usable. Pay the gas yourself.") from exc
        raise PaymasterRefusedError("The paymaster does not answer. Pay the gas yourself.") from last


def max_gas_cost(op: UserOp) -> int:
    """The most that the operation's gas can cost, in wei."""
    gas = (
        op.call_gas_limit
        + op.verification_gas_limit
        + op.pre_verification_gas
        + op.paymaster_verification_gas_limit
        + op.paymaster_post_op_gas_limit
    )
    return gas * op.max_fee_per_gas


@lru_cache(maxsize=32)
def _service(network: Network) -> PaymasterService:
    return PaymasterService(network)


def _gas(value: object, otherwise: int) -> int:
    if value is None:
        return otherwise
    return int(value, 16) if isinstance(value, str) else int(str(value))


def _hours(seconds: int) -> str:
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
