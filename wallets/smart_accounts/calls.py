"""Which calls an operation may make here, and how an account makes them.

An owner can sign anything elsewhere; we build only what people need here, so that a stolen session cannot ask for more:
calls of our escrow, approvals for it, and plain transfers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chain import artefacts
from chain.bindings.escrow import Escrow
from chain.calls import Call
from chain.networks import Network
from chain.tokens import NATIVE, Token, format_amount, tokens_for
from wallets.smart_accounts.errors import CallNotAllowedError

MOST_CALLS = 8
_ESCROW_CALLS = {
    "depositPayment": "Pay into escrow",
    "releasePayment": "Release a payment",
    "refundPayment": "Refund a payment",
    "openDispute": "Dispute a payment",
    "withdraw": "Withdraw from escrow",
}
_APPROVE = bytes.fromhex("095ea7b3")
_TRANSFER = bytes.fromhex("a9059cbb")


@dataclass(frozen=True, slots=True)
class Checked:
    """Calls that may be made, what they are for, and whether they only serve our own contracts."""

    calls: tuple[Call, ...]
    purpose: str
    sponsorable: bool


def checked(network: Network, account: str, calls: Sequence[Call]) -> Checked:
    """Raises CallNotAllowedError with the number of the first call that is not allowed, NotDeployedError."""
    if not 1 <= len(calls) <= MOST_CALLS:
        raise CallNotAllowedError(f"An operation makes 1 to {MOST_CALLS} calls.", fields={"calls": "Wrong number."})
    escrow = Escrow.for_network(network).address
    tokens = {token.address: token for token in tokens_for(network)}
    found = [_looked_at(index, call, network, account, escrow, tokens) for index, call in enumerate(calls)]
    return Checked(
        calls=tuple(calls),
        purpose="; ".join(dict.fromkeys(purpose for purpose, _ in found if purpose))[:120],
        sponsorable=all(ours for _, ours in found),
    )


def encoded(calls: Sequence[Call]) -> bytes:
    """The account's call data: one call, or a batch that is done wholly or not at all."""
    interface = artefacts.load(artefacts.AGENT_ACCOUNT).interface
    if len(calls) == 1:
        return interface.encode_call("execute", calls[0].to, calls[0].value, calls[0].data)
    return interface.encode_call("executeBatch", [(call.to, call.value, call.data) for call in calls])


def _looked_at(
    index: int, call: Call, network: Network, account: str, escrow: str, tokens: dict[str, Token]
) -> tuple[str, bool]:
    """(what it is for, whether it serves our contracts)."""
    if call.chain_id != network.chain_id:
        raise _refused(index, f"It is for chain {call.chain_id}; the account is on {network.name}.")
    if call.to in (None, NATIVE, account):
        raise _refused(index, "An account calls neither itself nor nobody here.")
    if call.to == escrow:
        return _escrow_call(index, call), True
    token = tokens.get(str(call.to))
    if token is not None and not token.is_native:
        return _token_call(index, call, escrow, token)
    if not call.data and call.value:
        return f"Send {format_amount(call.value, tokens[NATIVE])}", False
    raise _refused(index, "Only our escrow, its tokens and plain transfers can be called.")


def _escrow_call(index: int, call: Call) -> str:
    interface = artefacts.load(artefacts.ESCROW).interface
    for name, purpose in _ESCROW_CALLS.items():
        if call.data[:4] == interface.selector(name):
            if call.value and name != "depositPayment":
                raise _refused(index, f"{name} takes no ether.")
            return purpose
    raise _refused(index, "This function of the escrow is not for buyers or creators.")


def _token_call(index: int, call: Call, escrow: str, token: Token) -> tuple[str, bool]:
    if call.value or len(call.data) != 68 or any(call.data[4:16]):
        raise _refused(index, f"{token.symbol} can be approved or sent only.")
    party, amount = "0x" + call.data[16:36].hex(), int.from_bytes(call.data[36:])
    if call.data[:4] == _APPROVE:
        if party != escrow.lower():
            raise _refused(index, "Only our escrow can be approved.")
        return "", True  # said by the deposit it comes with
    if call.data[:4] == _TRANSFER and int(party, 16):
        return f"Send {format_amount(amount, token)}", False
    raise _refused(index, f"{token.symbol} can be approved or sent only.")


def _refused(index: int, why: str) -> CallNotAllowedError:
    return CallNotAllowedError(f"Call {index + 1} is not allowed. {why}", fields={f"calls/{index}": why})
