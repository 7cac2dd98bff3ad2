"""A marketplace on Brownie's chain, and the quotes it signs."""

from dataclasses import dataclass, replace
from typing import Any

from brownie import chain, web3
from eth_account import Account

ETHER = "0x0000000000000000000000000000000000000000"
DISPUTE_WINDOW = 3 * 86400
HOLD_PERIOD = 30 * 86400
FEE_BPS = 250


@dataclass(frozen=True)
class Quote:
    agent_id: int
    creator: Any
    buyer: Any
    recipient: Any
    token: str
    amount: int
    access_duration: int
    valid_until: int
    salt: bytes

    def as_tuple(self) -> tuple:
        return (
            self.agent_id,
            str(self.creator),
            str(self.buyer),
            str(self.recipient),
            self.token,
            self.amount,
            self.access_duration,
            self.valid_until,
            self.salt,
        )


@dataclass(frozen=True)
class Market:
    escrow: Any
    entitlements: Any
    usdc: Any
    signer: Any
    owner: Any
    arbiter: Any
    fee_recipient: Any
    people: list

    @classmethod
    def deploy(cls, Escrow, Entitlements, Usdc, accounts) -> "Market":
        owner, arbiter, fee_recipient, *people = accounts[:7]
        signer = Account.create()
        entitlements = Entitlements.deploy(owner, {"from": owner})
        escrow = Escrow.deploy(
            owner,
            entitlements,
            signer.address,
            arbiter,
            fee_recipient,
            FEE_BPS,
            DISPUTE_WINDOW,
            HOLD_PERIOD,
            {"from": owner},
        )
        usdc = Usdc.deploy({"from": owner})
        entitlements.setMinter(escrow, True, {"from": owner})
        escrow.setTokenSupported(usdc, True, {"from": owner})
        for person in people:
            usdc.mint(person, 10**30, {"from": owner})
            usdc.approve(escrow, 2**256 - 1, {"from": person})
        return cls(escrow, entitlements, usdc, signer, owner, arbiter, fee_recipient, people)

    def quote(self, buyer, creator, **changes) -> Quote:
        quote = Quote(
            agent_id=7,
            creator=creator,
            buyer=buyer,
            recipient=buyer,
            token=ETHER,
            amount=10**16,
            access_duration=30 * 86400,
            valid_until=chain.time() + 10**9,
            salt=bytes(32),
        )
        return replace(quote, **changes)

    def sign(self, quote: Quote) -> bytes:
        digest = self.escrow.hashQuote(quote.as_tuple())
        return bytes(self.signer.unsafe_sign_hash(bytes.fromhex(str(digest)[2:])).signature)

    def deposit(self, quote: Quote, sender=None):
        value = quote.amount if quote.token == ETHER else 0
        sender = quote.buyer if sender is None else sender
        return self.escrow.depositPayment(quote.as_tuple(), self.sign(quote), {"from": sender, "value": value})


def set_time(timestamp: int) -> None:
    """Gives the next block exactly this time."""
    web3.provider.make_request("evm_setNextBlockTimestamp", [timestamp])
