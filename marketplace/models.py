"""Tables of the marketplace, one slice a module."""

from marketplace.catalogue.models import Agent, AgentPrice, AgentVersion, Category, WasmModule
from marketplace.disputes.models import Decision, Dispute, Statement
from marketplace.payouts.models import Credit, Exit, Withdrawal
from marketplace.purchases.models import Entitlement, EntitlementFact, EscrowFact, Purchase
from marketplace.vault.models import AgentSecret, RegistryCredential

__all__ = [
    "Agent",
    "AgentPrice",
    "AgentSecret",
    "AgentVersion",
    "Category",
    "Credit",
    "Decision",
    "Dispute",
    "Entitlement",
    "EntitlementFact",
    "EscrowFact",
    "Exit",
    "Purchase",
    "RegistryCredential",
    "Statement",
    "WasmModule",
    "Withdrawal",
]
