"""The part of ERC-20 that buyers need."""

from dataclasses import dataclass

from chain import artefacts
from chain.calls import Call, Contract
from chain.networks import Network
from chain.tokens import Token


@dataclass(frozen=True, slots=True)
class Erc20:
    """An ERC-20 token of a network. Amounts are in base units."""

    network: Network
    token: Token

    @property
    def contract(self) -> Contract:
        """The token's contract. TestUSDC has every function of USDC that is called here."""
        return Contract(self.network, self.token.address, artefacts.load(artefacts.TEST_USDC))

    def balance_of(self, account: str) -> int:
        """Raises RpcUnavailableError."""
        return int(self.contract.read("balanceOf", account))

    def allowance(self, owner: str, spender: str) -> int:
        """How much `spender` may take from `owner`. Raises RpcUnavailableError."""
        return int(self.contract.read("allowance", owner, spender))

    def encode_approve(self, spender: str, amount: int) -> Call:
        """Lets `spender` take exactly `amount`."""
        return self.contract.call("approve", spender, amount)

    def encode_mint(self, to: str, amount: int) -> Call:
        """Makes TestUSDC out of nothing; only the local chain's token has this function."""
        return self.contract.call("mint", to, amount)
