"""AgentNexusEntitlements: who may run which agent, and until when."""

from dataclasses import dataclass
from typing import Self

from chain import artefacts
from chain.calls import Call, Contract, deployed_at
from chain.networks import Network

LIFETIME = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Entitlements:
    """The entitlements of a network."""

    contract: Contract

    @classmethod
    def for_network(cls, network: Network) -> Self:
        """The deployed contract. Raises NotDeployedError."""
        name = artefacts.ENTITLEMENTS
        return cls(Contract(network, deployed_at(network, name), artefacts.load(name)))

    @property
    def network(self) -> Network:
        """Where it is deployed."""
        return self.contract.network

    @property
    def address(self) -> str:
        """Where it is, checksummed."""
        return self.contract.address

    def expires_at(self, holder: str, agent_id: int) -> int:
        """End of the access in unix seconds: 0 for none, LIFETIME for ever. Raises RpcUnavailableError."""
        return int(self.contract.read("expiresAt", holder, agent_id))

    def has_valid_token(self, holder: str, agent_id: int) -> bool:
        """Whether `holder` may run the agent at the time of the latest block. Raises RpcUnavailableError."""
        return bool(self.contract.read("hasValidToken", holder, agent_id))

    def encode_mint(self, holder: str, agent_id: int, duration: int) -> Call:
        """Grants access for `duration` seconds more (0: for ever); for minters only."""
        return self.contract.call("mintToken", holder, agent_id, duration)

    def encode_set_expiry(self, holder: str, agent_id: int, expires_at: int) -> Call:
        """Sets the end of the access by hand, in unix seconds; for minters only."""
        return self.contract.call("setTokenExpiry", holder, agent_id, expires_at)

    def encode_revoke(self, holder: str, agent_id: int) -> Call:
        """Takes all access to the agent away; for minters only."""
        return self.contract.call("revokeToken", holder, agent_id)

    def encode_set_uri(self, agent_id: int, uri: str) -> Call:
        """Sets where the metadata of the agent's token is found; for minters only."""
        return self.contract.call("setTokenURI", agent_id, uri)
