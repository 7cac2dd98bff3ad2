"""Calls of contracts: what a wallet signs, and what is read."""

from dataclasses import dataclass
from typing import Any

from chain.artefacts import Artefact
from chain.errors import IncompleteAnswerError, NotDeployedError
from chain.models import Deployment
from chain.networks import Network
from chain.rpc import pool_of


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction for a wallet to sign. `to` is None to create a contract; `value` is in wei."""

    chain_id: int
    to: str | None
    data: bytes
    value: int = 0

    def as_json(self) -> dict[str, Any]:
        """As wallets take it: `{chainId, to, data, value}`; data and value in hex."""
        return {"chainId": self.chain_id, "to": self.to, "data": "0x" + self.data.hex(), "value": hex(self.value)}


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract at an address of a network."""

    network: Network
    address: str
    artefact: Artefact

    def call(self, function: str, *args: Any, value: int = 0) -> Call:
        """The call of `function` for a wallet or the outbox. Raises eth_abi's EncodingError."""
        return Call(self.network.chain_id, self.address, self.artefact.interface.encode_call(function, *args), value)

    def read(self, function: str, *args: Any, block: str = "latest") -> Any:
        """What `function` returns at `block`. Raises RpcUnavailableError, or RpcError with the revert's name."""
        data = "0x" + self.artefact.interface.encode_call(function, *args).hex()
        answer = pool_of(self.network).call("eth_call", {"to": self.address, "data": data}, block)
        raw = bytes.fromhex(str(answer).removeprefix("0x"))
        if not raw:
            raise IncompleteAnswerError(
                f"There is no contract at {self.address} on {self.network.name}, or the node is behind."
            )
        return self.artefact.interface.call_result(function, raw)


def deployed_at(network: Network, contract: str) -> str:
    """The recorded address of `contract`. Raises NotDeployedError."""
    row = Deployment.objects.filter(network=network.slug, contract=contract).first()
    if row is None:
        raise NotDeployedError(
            f"The contracts are not deployed on {network.name} yet. Run: manage.py deploy_contracts {network.slug}"
        )
    return row.address
