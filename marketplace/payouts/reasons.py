"""Why a transaction of the platform did not do what it should, as sentences. The outbox keeps the contract's words."""

import re

from chain.models import OutboxTransaction

_NAME = re.compile(r"(?:\w+: )?([A-Z]\w+)\((.*)\)\Z")
_SENTENCES = {
    "EtherRefused": (
        "The wallet is a contract that refuses ether, so the money waits for it in the escrow. Its owner can have it "
        "sent to another address with the escrow's withdrawTo."
    ),
    "SafeERC20FailedOperation": (
        "The token refused the transfer to this wallet, so the money waits for it in the escrow. Its owner can have "
        "it sent to another address with the escrow's withdrawTo."
    ),
    "TooMuchGas": (
        "The wallet is a contract whose code needs more gas than the platform pays for, so the money waits for it in "
        "the escrow. Its owner can withdraw it."
    ),
    "NothingToWithdraw": "There is nothing left to pay out: somebody else had it paid out first.",
    "WrongStatus": "The payment was settled in another way in the meantime.",
    "ReleaseNotOpen": "The payment cannot be released at this time.",
    "RefundNotOpen": "The payment cannot be refunded yet.",
    "ResolutionOver": (
        "The time to decide is over: the hold period of this payment has ended, and the whole amount goes back to "
        "the buyer."
    ),
    "NotArbiter": (
        "The escrow has another arbiter by now. Have its owner name ours with setArbiter, or decide again once "
        "ARBITER_KEY is the new one's."
    ),
}


def sentence(row: OutboxTransaction) -> str:
    """What became of a closed transaction that did not succeed, or what an open one waits for."""
    match row.status:
        case OutboxTransaction.Status.REVERTED:
            return "It was taken into a block but had no effect: the payment had changed in the same moment."
        case OutboxTransaction.Status.DISPLACED:
            return "Another transaction of the platform's key took its place."
        case OutboxTransaction.Status.FAILED:
            return explain(row.detail)
        case _:
            return row.detail


def explain(detail: str) -> str:
    """The sentence for a custom error such as `AgentNexusEscrow: EtherRefused(0x.., 5)`; else the words as they are."""
    match = _NAME.fullmatch(detail.strip())
    return _SENTENCES.get(match[1], detail) if match else detail
