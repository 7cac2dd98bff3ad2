"""Whether the code at an address is what `chain/abi` says, down to the value of every immutable."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from web3 import Web3

from chain.artefacts import ESCROW, SPONSOR_PAYMASTER, TEST_USDC, Artefact
from chain.bindings.eip712 import Domain
from chain.deployments import create2
from chain.networks import Network
from chain.rpc import pool_of

WORD = 32
_DOMAINS = {
    ESCROW: ("AgentNexusEscrow", "1"),
    TEST_USDC: ("USD Coin", "2"),
    SPONSOR_PAYMASTER: ("SponsorPaymaster", "1"),
}


class CodeState(StrEnum):
    """What lies at an address."""

    MISSING = "missing"
    DIFFERENT = "different"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of the code, and for a difference where it is."""

    state: CodeState
    detail: str


def code_state(network: Network, artefact: Artefact, address: str, args: Mapping[str, Any]) -> Verdict:
    """Compare the code at `address` with `artefact` deployed with `args` (by constructor parameter).

    Immutables are compared with what the constructor must have computed. Raises RpcUnavailableError.
    """
    answer = str(pool_of(network).call("eth_getCode", address, "latest"))
    code = bytes.fromhex(answer.removeprefix("0x"))
    if not code:
        return Verdict(CodeState.MISSING, f"There is no code at {address}.")
    if artefact.name in create2.SALTS:
        if address == create2.address_of(artefact):
            return Verdict(CodeState.SAME, f"{len(code)} bytes at the address that only this code can have.")
        return Verdict(CodeState.DIFFERENT, f"{artefact.name} belongs at {create2.address_of(artefact)}.")
    expected = _runtime_code(network, artefact, address, args)
    if len(code) != len(expected):
        return Verdict(CodeState.DIFFERENT, f"The code has {len(code)} bytes; the artefact gives {len(expected)}.")
    if code == expected:
        return Verdict(CodeState.SAME, f"{len(code)} bytes, all as compiled.")
    place = next(index for index, (left, right) in enumerate(zip(code, expected, strict=True)) if left != right)
    for name, places in artefact.immutables.items():
        if any(start <= place < start + length for start, length in places):
            return Verdict(CodeState.DIFFERENT, f"The immutable {name} has another value than this deployment's.")
    return Verdict(CodeState.DIFFERENT, f"The code differs from byte {place} on.")


def _runtime_code(network: Network, artefact: Artefact, address: str, args: Mapping[str, Any]) -> bytes:
    """The runtime code with every immutable filled in. Raises KeyError for one whose value nothing here explains."""
    values = _immutable_values(network, artefact.name, address, args)
    code = bytearray(artefact.runtime_code)
    for name, places in artefact.immutables.items():
        for start, length in places:
            code[start : start + length] = values[name].rjust(length, b"\0")
    return bytes(code)


def _immutable_values(network: Network, contract: str, address: str, args: Mapping[str, Any]) -> dict[str, bytes]:
    values = {name.rstrip("_"): _word(value) for name, value in args.items()}
    if contract in _DOMAINS:
        name, version = _DOMAINS[contract]
        values |= {
            "_cachedChainId": _word(network.chain_id),
            "_cachedThis": _word(address),
            "_cachedDomainSeparator": Domain(name, version, network.chain_id, address).separator(),
            "_hashedName": bytes(Web3.keccak(text=name)),
            "_hashedVersion": bytes(Web3.keccak(text=version)),
            "_name": _short_string(name),
            "_version": _short_string(version),
        }
    return values


def _word(value: Any) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(WORD)
    return bytes.fromhex(str(value).removeprefix("0x")).rjust(WORD, b"\0")


def _short_string(text: str) -> bytes:
    """OpenZeppelin's ShortString: the text, then its length in the last byte."""
    raw = text.encode()
    return raw.ljust(WORD - 1, b"\0") + bytes([len(raw)])
