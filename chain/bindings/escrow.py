"""AgentNexusEscrow: quotes, payments and the calls that move them."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from chain import artefacts
from chain.bindings.eip712 import Domain, digest
from chain.calls import Call, Contract, deployed_at
from chain.keys import get_signer
from chain.networks import Network
from chain.tokens import NATIVE

QUOTE_TYPE = (
    "Quote(uint256 agentId,address creator,address buyer,address recipient,address token,uint256 amount,"
    "uint64 accessDuration,uint64 validUntil,bytes32 salt)"
)
# An authorisation to pay counts from the beginning of time; the quote itself says until when.
VALID_AFTER = 0
QUOTE_MEMBERS = ["uint256", "address", "address", "address", "address", "uint256", "uint64", "uint64", "bytes32"]


@dataclass(frozen=True, slots=True)
class Quote:
    """The terms of a purchase.

    `token` NATIVE is ether; `buyer` NATIVE is anyone; `recipient` NATIVE is whoever pays; `access_duration` is in
    seconds, 0 for ever; `valid_until` in unix seconds; `salt` is 32 bytes in 0x-hex.
    """

    agent_id: int
    creator: str
    buyer: str
    recipient: str
    token: str
    amount: int
    access_duration: int
    valid_until: int
    salt: str

    def members(self) -> tuple[int | str | bytes, ...]:
        """The struct's members in the contract's order."""
        return (
            self.agent_id,
            self.creator,
            self.buyer,
            self.recipient,
            self.token,
            self.amount,
            self.access_duration,
            self.valid_until,
            _bytes32(self.salt),
        )

    def as_json(self) -> dict[str, str | int]:
        """The struct for a wallet library: names as in Solidity, integers as decimal strings."""
        return {
            "agentId": str(self.agent_id),
            "creator": self.creator,
            "buyer": self.buyer,
            "recipient": self.recipient,
            "token": self.token,
            "amount": str(self.amount),
            "accessDuration": str(self.access_duration),
            "validUntil": str(self.valid_until),
            "salt": self.salt,
        }


class PaymentStatus(IntEnum):
    """Where a payment stands, as the contract numbers it."""

    NONE = 0
    HELD = 1
    DISPUTED = 2
    RELEASED = 3
    REFUNDED = 4
    RESOLVED = 5


@dataclass(frozen=True, slots=True)
class PaymentOnChain:
    """A payment as the contract shows it. Amounts in base units, times in unix seconds."""

    status: PaymentStatus
    payer: str
    creator: str
    recipient: str
    token: str
    agent_id: int
    amount: int
    fee_bps: int
    access_duration: int
    deposited_at: int
    release_after: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Escrow:
    """The escrow of a network."""

    contract: Contract

    @classmethod
    def for_network(cls, network: Network) -> Self:
        """The deployed escrow. Raises NotDeployedError."""
        return cls(Contract(network, deployed_at(network, artefacts.ESCROW), artefacts.load(artefacts.ESCROW)))

    @property
    def network(self) -> Network:
        """Where it is deployed."""
        return self.contract.network

    @property
    def address(self) -> str:
        """Where it is, checksummed."""
        return self.contract.address

    @property
    def domain(self) -> Domain:
        """The EIP-712 domain of its quotes."""
        return Domain("AgentNexusEscrow", "1", self.network.chain_id, self.address)

    def hash_quote(self, quote: Quote) -> str:
        """The quote's EIP-712 digest, which is the payment's id. Computed here, not by the node."""
        return "0x" + self._digest(quote).hex()

    def sign_quote(self, quote: Quote) -> str:
        """The platform's 65-byte signature of `quote` in hex. Raises MissingKeyError."""
        return "0x" + get_signer("QUOTE_SIGNER_KEY", self.network).sign_digest(self._digest(quote)).hex()

    def encode_deposit(self, quote: Quote, signature: str) -> Call:
        """Pays `quote`: ether travels with the call, an ERC-20 needs an allowance first."""
        value = quote.amount if quote.token == NATIVE else 0
        return self.contract.call("depositPayment", quote.members(), _bytes(signature), value=value)

    def encode_deposit_with_authorization(
        self, quote: Quote, signature: str, payer: str, valid_before: int, authorization: str
    ) -> Call:
        """Pays `quote` by the payer's ERC-3009 signature (see chain.bindings.authorization): no allowance is needed,
        and anyone may send it."""
        return self.contract.call(
            "depositWithAuthorization",
            quote.members(),
            _bytes(signature),
            payer,
            VALID_AFTER,
            valid_before,
            _bytes(authorization),
        )

    def encode_release(self, payment_id: str) -> Call:
        """Pays creator and platform."""
        return self.contract.call("releasePayment", _bytes32(payment_id))

    def encode_refund(self, payment_id: str) -> Call:
        """Credits the payer."""
        return self.contract.call("refundPayment", _bytes32(payment_id))

    def encode_open_dispute(self, payment_id: str, reason_hash: str) -> Call:
        """Puts the payment before the arbiter; for the payer, before `release_after`."""
        return self.contract.call("openDispute", _bytes32(payment_id), _bytes32(reason_hash))

    def encode_resolve_dispute(self, payment_id: str, refund_bps: int, reason_hash: str) -> Call:
        """The arbiter's decision: `refund_bps` basis points go to the payer, the rest to the creator."""
        return self.contract.call("resolveDispute", _bytes32(payment_id), refund_bps, _bytes32(reason_hash))

    def encode_withdraw(self, token: str, account: str) -> Call:
        """Pays the whole credit of `account` out to it; anyone may send this."""
        return self.contract.call("withdraw", token, account)

    def encode_withdraw_to(self, token: str, receiver: str) -> Call:
        """Pays the sender's whole credit out to `receiver`: for accounts that cannot take the money themselves."""
        return self.contract.call("withdrawTo", token, receiver)

    def withdrawable(self, token: str, account: str) -> int:
        """The credit of `account` in base units of `token`. Raises RpcUnavailableError."""
        return int(self.contract.read("withdrawable", token, account))

    def fee_bps(self) -> int:
        """The platform's fee of a deposit made now, in basis points. Raises RpcUnavailableError."""
        return int(self.contract.read("platformFeeBps"))

    def arbiter(self) -> str:
        """Who decides disputes. Raises RpcUnavailableError."""
        return str(self.contract.read("arbiter"))

    def payment(self, payment_id: str) -> PaymentOnChain:
        """A payment; its status is NONE when there is none. Raises RpcUnavailableError."""
        shown = self.contract.read("payments", _bytes32(payment_id))
        return PaymentOnChain(
            status=PaymentStatus(shown["status"]),
            payer=shown["payer"],
            creator=shown["creator"],
            recipient=shown["recipient"],
            token=shown["token"],
            agent_id=shown["agentId"],
            amount=shown["amount"],
            fee_bps=shown["feeBps"],
            access_duration=shown["accessDuration"],
            deposited_at=shown["depositedAt"],
            release_after=shown["releaseAfter"],
            expires_at=shown["expiresAt"],
        )

    def _digest(self, quote: Quote) -> bytes:
        return digest(self.domain, QUOTE_TYPE, QUOTE_MEMBERS, quote.members())


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _bytes32(text: str) -> bytes:
    raw = _bytes(text)
    if len(raw) != 32:
        raise ValueError(f"expected 32 bytes, got {len(raw)}")
    return raw
