"""Whether an address signed a text (EIP-191): by its private key, or, for an account contract, by what it answers.

Contracts are asked by ERC-1271; one that is not deployed yet is deployed for the question only, by ERC-6492.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from chain import artefacts
from chain.errors import ChainError, RpcError
from chain.networks import Network
from chain.rpc.endpoint import Endpoint
from chain.rpc.pool import Pool
from wallets.errors import SignInUnavailableError

# Signatures of passkey accounts that are not deployed yet come to about 2.5 kB, written in hex.
MAX_SIGNATURE_LENGTH = 16_384
# What asking an account may cost: deploying it and verifying a P-256 signature in Solidity fit several times.
CONTRACT_GAS = 10_000_000
RPC_SECONDS = 5.0

_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
# 27 and 28, or 0 and 1 as hardware wallets write them. eth_account would also take EIP-155's values, which belong to
# transactions and would give a signature more spellings.
_KEY_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{128}(?:1[bBcC]|0[01])", re.ASCII)
# Half of secp256k1's group order; the upper half of s would give every signature a second spelling (EIP-2).
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_WRAPPER_MARK = bytes.fromhex("6492" * 16)
_NOBODY = "0x" + "00" * 20
# Some contracts are lenient in simulations, which they recognise by a zero origin; so we ask from another address,
# keccak256("AgentNexus: did you sign this?")[12:], whose key nobody has.
_ASKER = "0xaed821871CABb6B748D68BEb8E3410f31d1a43Cf"


@dataclass(frozen=True, slots=True)
class _ContractSignature:
    """What the account is asked about, and the call that makes or prepares it first (`factory` is zero for none)."""

    inner: bytes
    factory: str
    factory_calldata: bytes


def signed_by_key(address: str, text: str, signature: str) -> bool:
    """Whether the private key of `address` made this signature over exactly this text."""
    if not _KEY_SIGNATURE.fullmatch(signature):
        return False
    if int(signature[66:130], 16) > _HALF_ORDER:
        return False
    try:
        return bool(Account.recover_message(encode_defunct(text=text), signature=signature) == address)
    except (ValueError, BadSignature, ValidationError):
        return False


def signed_by_contract(network: Network, address: str, text: str, signature: str) -> bool:
    """Whether the account contract at `address` accepts this signature over exactly this text.

    A contract that reverts, loops or answers anything but the magic value does not accept. Raises
    SignInUnavailableError when the network's nodes give no answer: then nobody can tell.
    """
    unpacked = _unpacked(signature)
    if unpacked is None:
        return False
    question = encode(
        ["address", "bytes32", "bytes", "address", "bytes"],
        [address, _digest(text), unpacked.inner, unpacked.factory, unpacked.factory_calldata],
    )
    code = artefacts.load(artefacts.VALIDATE_SIG_OFFCHAIN).creation_code
    call = {"from": _ASKER, "data": "0x" + (code + question).hex(), "gas": hex(CONTRACT_GAS)}
    try:
        return bool(_pool(network).call("eth_call", call, "latest") == "0x01")
    except RpcError:
        # The node ran it and it failed, which only running out of gas can do.
        return False
    except ChainError as exc:
        raise SignInUnavailableError from exc


def _unpacked(signature: str) -> _ContractSignature | None:
    """The parts of a signature, taken out of an ERC-6492 wrapper if it has one; None for what is none."""
    if not _HEX.fullmatch(signature):
        return None
    raw = bytes.fromhex(signature[2:])
    if not raw.endswith(_WRAPPER_MARK):
        return _ContractSignature(raw, _NOBODY, b"")
    try:
        factory, calldata, inner = decode(["address", "bytes", "bytes"], raw[: -len(_WRAPPER_MARK)])
    except (DecodingError, OverflowError):
        return None
    return _ContractSignature(inner, factory, calldata)


def _digest(text: str) -> bytes:
    message = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)


@lru_cache(maxsize=16)
def _pool(network: Network) -> Pool:
    """Endpoints with a shorter patience than the listener's: somebody waits for the answer."""
    return Pool(network, [Endpoint(url, read_seconds=RPC_SECONDS) for url in network.rpc_urls])
