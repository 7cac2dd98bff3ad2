"""Paying in a token by one signature (ERC-3009 `receiveWithAuthorization`), where the token has it. USDC does.

The signature's nonce is the payment id, so that it can pay for nothing but this quote.
Source: https://eips.ethereum.org/EIPS/eip-3009
"""

from dataclasses import dataclass
from typing import Any

from eth_abi.exceptions import DecodingError

from chain import artefacts
from chain.bindings.eip712 import Domain
from chain.bindings.escrow import VALID_AFTER
from chain.calls import Contract
from chain.errors import RpcError
from chain.networks import Network
from chain.tokens import Token

_DOMAIN_MEMBERS = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_MEMBERS = [
    {"name": "from", "type": "address"},
    {"name": "to", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "validAfter", "type": "uint256"},
    {"name": "validBefore", "type": "uint256"},
    {"name": "nonce", "type": "bytes32"},
]


@dataclass(frozen=True, slots=True)
class Authorization:
    """What the payer signs: `amount` base units from `payer` to `escrow`, once, before `valid_before` (unix s)."""

    domain: Domain
    payer: str
    escrow: str
    amount: int
    valid_before: int
    nonce: str

    def typed_data(self) -> dict[str, Any]:
        """For `eth_signTypedData_v4`; integers as decimal strings."""
        return {
            "types": {"EIP712Domain": _DOMAIN_MEMBERS, "ReceiveWithAuthorization": _MEMBERS},
            "primaryType": "ReceiveWithAuthorization",
            "domain": {
                "name": self.domain.name,
                "version": self.domain.version,
                "chainId": self.domain.chain_id,
                "verifyingContract": self.domain.contract,
            },
            "message": {
                "from": self.payer,
                "to": self.escrow,
                "value": str(self.amount),
                "validAfter": str(VALID_AFTER),
                "validBefore": str(self.valid_before),
                "nonce": self.nonce,
            },
        }


def signing_domain(network: Network, token: Token) -> Domain | None:
    """The EIP-712 domain of a token that takes ERC-3009 authorisations; None for ether and for tokens without.

    The name and version that the token gives must make the separator that it checks signatures against; otherwise a
    signature would be worth nothing, and the token counts as one without. Raises RpcUnavailableError.
    """
    if token.is_native:
        return None
    key = (network.chain_id, token.address)
    if key not in _known:
        domain = _read_domain(network, token.address)
        if domain is None:
            return None
        _known[key] = domain
    return _known[key]


_known: dict[tuple[int, str], Domain] = {}


def _read_domain(network: Network, address: str) -> Domain | None:
    # TestUSDC has every function of USDC v2.2 that is called here.
    contract = Contract(network, address, artefacts.load(artefacts.TEST_USDC))
    try:
        domain = Domain(contract.read("name"), contract.read("version"), network.chain_id, address)
        separator = contract.read("DOMAIN_SEPARATOR")
        contract.read("authorizationState", address, bytes(32))
    except (RpcError, DecodingError):
        return None
    return domain if bytes(separator) == domain.separator() else None
