"""User operations of EntryPoint v0.7: their hash, and their form in JSON-RPC.

Sources: ERC-4337 (https://eips.ethereum.org/EIPS/eip-4337), ERC-7769 for the RPC form.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from eth_abi.abi import encode
from web3 import Web3

from wallets.smart_accounts.models import UserOperation


@dataclass(frozen=True, slots=True)
class UserOp:
    """The members of an operation. Gas in units, fees in wei per unit; `factory` and `paymaster` "" for none."""

    sender: str
    nonce: int
    call_data: bytes
    factory: str = ""
    factory_data: bytes = b""
    call_gas_limit: int = 0
    verification_gas_limit: int = 0
    pre_verification_gas: int = 0
    max_fee_per_gas: int = 0
    max_priority_fee_per_gas: int = 0
    paymaster: str = ""
    paymaster_verification_gas_limit: int = 0
    paymaster_post_op_gas_limit: int = 0
    paymaster_data: bytes = b""
    signature: bytes = b""

    @classmethod
    def of(cls, row: UserOperation) -> Self:
        """The operation of a row."""
        return cls(
            sender=row.account.address,
            nonce=row.nonce,
            call_data=bytes(row.call_data),
            factory=row.factory or "",
            factory_data=bytes(row.factory_data),
            call_gas_limit=row.call_gas_limit,
            verification_gas_limit=row.verification_gas_limit,
            pre_verification_gas=row.pre_verification_gas,
            max_fee_per_gas=row.max_fee_per_gas,
            max_priority_fee_per_gas=row.max_priority_fee_per_gas,
            paymaster=row.paymaster or "",
            paymaster_verification_gas_limit=row.paymaster_verification_gas_limit,
            paymaster_post_op_gas_limit=row.paymaster_post_op_gas_limit,
            paymaster_data=bytes(row.paymaster_data),
            signature=bytes(row.signature),
        )

    def with_(self, **changes: Any) -> Self:
        """The same with other members."""
        return replace(self, **changes)

    @property
    def init_code(self) -> bytes:
        """How the account is made when it is not there; empty when it is."""
        return _bytes(self.factory) + self.factory_data if self.factory else b""

    @property
    def account_gas_limits(self) -> bytes:
        """Two limits in one word, as the EntryPoint takes them."""
        return _two(self.verification_gas_limit, self.call_gas_limit)

    @property
    def gas_fees(self) -> bytes:
        """Two fees in one word."""
        return _two(self.max_priority_fee_per_gas, self.max_fee_per_gas)

    @property
    def paymaster_and_data(self) -> bytes:
        """The paymaster, its gas limits and its data in one; empty without a paymaster."""
        if not self.paymaster:
            return b""
        limits = _two(self.paymaster_verification_gas_limit, self.paymaster_post_op_gas_limit)
        return _bytes(self.paymaster) + limits + self.paymaster_data

    def hash(self, entry_point: str, chain_id: int) -> bytes:
        """The 32 bytes that the owner signs: they bind chain, EntryPoint and everything but the signature.

        Computed here, so that no node or bundler can have something else signed.
        """
        inner = encode(
            ["address", "uint256", "bytes32", "bytes32", "bytes32", "uint256", "bytes32", "bytes32"],
            [
                self.sender,
                self.nonce,
                _keccak(self.init_code),
                _keccak(self.call_data),
                self.account_gas_limits,
                self.pre_verification_gas,
                self.gas_fees,
                _keccak(self.paymaster_and_data),
            ],
        )
        return _keccak(encode(["bytes32", "address", "uint256"], [_keccak(inner), entry_point, chain_id]))

    def as_rpc(self) -> dict[str, str]:
        """The unpacked form that bundlers and paymaster services take."""
        shown = {
            "sender": self.sender,
            "nonce": hex(self.nonce),
            "callData": _hex(self.call_data),
            "callGasLimit": hex(self.call_gas_limit),
            "verificationGasLimit": hex(self.verification_gas_limit),
            "preVerificationGas": hex(self.pre_verification_gas),
            "maxFeePerGas": hex(self.max_fee_per_gas),
            "maxPriorityFeePerGas": hex(self.max_priority_fee_per_gas),
            "signature": _hex(self.signature),
        }
        if self.factory:
            shown |= {"factory": self.factory, "factoryData": _hex(self.factory_data)}
        if self.paymaster:
            shown |= {
                "paymaster": self.paymaster,
                "paymasterVerificationGasLimit": hex(self.paymaster_verification_gas_limit),
                "paymasterPostOpGasLimit": hex(self.paymaster_post_op_gas_limit),
                "paymasterData": _hex(self.paymaster_data),
            }
        return shown


def _two(high: int, low: int) -> bytes:
    return high.to_bytes(16) + low.to_bytes(16)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _keccak(data: bytes) -> bytes:
    return bytes(Web3.keccak(data))
