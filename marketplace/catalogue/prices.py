"""What an agent costs: one exact amount for each token it is sold in."""

from collections.abc import Mapping

from chain.errors import UnknownTokenError
from chain.networks import Network
from chain.tokens import get_token
from marketplace.catalogue.models import Agent, AgentPrice

# The escrow keeps amounts in 88 bits and refuses larger ones.
MAXIMUM_AMOUNT = 2**88 - 1


def clean_prices(network: Network, prices: object) -> tuple[dict[str, int], dict[str, str]]:
    """Amounts in base units by token address, and sentences by JSON pointer (`/prices/ETH`) for what is refused.

    `prices` maps a token's symbol or address to an integer amount of base units (wei for ETH).
    """
    if not isinstance(prices, Mapping):
        return {}, {"/prices": "Enter an amount for each token."}
    cleaned: dict[str, int] = {}
    problems: dict[str, str] = {}
    for name, amount in prices.items():
        place = f"/prices/{name}"
        try:
            token = get_token(network, str(name))
        except UnknownTokenError:
            problems[place] = f"{network.name} does not know this token."
            continue
        if isinstance(amount, bool) or not isinstance(amount, int):
            problems[place] = "Enter a whole number of base units."
        elif amount <= 0:
            problems[place] = "The price must be more than zero."
        elif amount > MAXIMUM_AMOUNT:
            problems[place] = "The price is larger than the escrow can hold."
        elif token.address in cleaned:
            problems[place] = f"{token.symbol} has two prices."
        else:
            cleaned[token.address] = amount
    return cleaned, problems


def replace_prices(agent: Agent, prices: Mapping[str, int]) -> None:
    """Makes `prices` (base units by token address, already clean) the agent's only ones. Call in a transaction."""
    agent.prices.exclude(token__in=list(prices)).delete()
    AgentPrice.objects.bulk_create(
        [AgentPrice(agent=agent, token=token, amount=amount) for token, amount in prices.items()],
        update_conflicts=True,
        unique_fields=["agent", "token"],
        update_fields=["amount"],
    )
