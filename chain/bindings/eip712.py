"""EIP-712: the digest of a typed struct, computed without a node.

Source: https://eips.ethereum.org/EIPS/eip-712
"""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from web3 import Web3

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a signature counts: a contract of a chain, by name and version."""

    name: str
    version: str
    chain_id: int
    contract: str

    def separator(self) -> bytes:
        """The 32-byte domain separator."""
        values = (
            _keccak(DOMAIN_TYPE.encode()),
            _keccak(self.name.encode()),
            _keccak(self.version.encode()),
            self.chain_id,
            self.contract,
        )
        return _keccak(encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], values))


def digest(domain: Domain, type_text: str, types: list[str], values: tuple[Any, ...]) -> bytes:
    """The 32 bytes to sign for a struct whose members are all one word.

    `type_text` is the struct's `encodeType`; `types` and `values` are its members.
    """
    struct = _keccak(encode(["bytes32", *types], (_keccak(type_text.encode()), *values)))
    return _keccak(b"\x19\x01" + domain.separator() + struct)


def _keccak(data: bytes) -> bytes:
    return bytes(Web3.keccak(data))
