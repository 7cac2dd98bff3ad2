"""Tables of the marketplace, one slice a module."""

from marketplace.catalogue.models import Agent, AgentPrice, AgentVersion, Category
from marketplace.purchases.models import Entitlement, EntitlementFact, EscrowFact, Purchase

__all__ = [
    "Agent",
    "AgentPrice",
    "AgentVersion",
    "Category",
    "Entitlement",
    "EntitlementFact",
    "EscrowFact",
    "Purchase",
]
