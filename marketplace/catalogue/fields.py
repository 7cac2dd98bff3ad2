"""Checking what a creator enters about an agent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chain.networks import Network
from marketplace.catalogue.models import Category
from marketplace.catalogue.prices import clean_prices
from marketplace.catalogue.text import TextRule, clean_text, storable
from marketplace.errors import InvalidAgentError

TEXT_RULES = {
    "name": TextRule(minimum=3, maximum=60),
    "tagline": TextRule(minimum=10, maximum=140),
    "description": TextRule(minimum=1, maximum=20_000, multiline=True),
}
# A hundred years; the escrow keeps durations in 32 bits.
MAXIMUM_DURATION = 100 * 365 * 24 * 3600
# Below this an access could end before its purchase is confirmed.
MINIMUM_DURATION = 3600


@dataclass(frozen=True, slots=True)
class AgentChanges:
    """Clean values: columns of the agent, and its prices in base units by token address where they were given."""

    columns: dict[str, Any] = field(default_factory=dict)
    prices: dict[str, int] | None = None


def clean_agent(network: Network, values: Mapping[str, Any]) -> AgentChanges:
    """Checks exactly the given values: `name tagline description category access_duration prices`.

    Raises InvalidAgentError whose `fields` names every value that is refused, not only the first.
    """
    columns: dict[str, Any] = {}
    problems: dict[str, str] = {}
    prices: dict[str, int] | None = None
    for name, value in values.items():
        try:
            if name in TEXT_RULES:
                columns[name] = clean_text(value, TEXT_RULES[name])
            elif name == "category":
                columns[name] = _category(value)
            elif name == "access_duration":
                columns[name] = _duration(value)
            elif name == "prices":
                prices, price_problems = clean_prices(network, value)
                problems |= price_problems
            else:
                problems[name] = "This cannot be set."
        except ValueError as exc:
            problems[name] = str(exc)
    if problems:
        raise InvalidAgentError("Some values of the agent are not valid.", fields=problems)
    return AgentChanges(columns, prices)


def _category(value: object) -> Category:
    if isinstance(value, Category):
        return value
    category = Category.objects.filter(pk=storable(value)).first() if isinstance(value, str) else None
    if category is None:
        raise ValueError("Choose one of the categories.")
    return category


def _duration(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("Enter a whole number of seconds; 0 is for ever.")
    if 0 < value < MINIMUM_DURATION:
        raise ValueError("Access must last at least an hour, or for ever (0).")
    if value > MAXIMUM_DURATION:
        raise ValueError("Access may last at most a hundred years; use 0 for ever.")
    return value
