"""What can be done with purchases: ask for one, pay it, give up what nobody paid. The rest is read from the chain."""

from marketplace.purchases.deposits import Step, StepKind, deposit_calls, require_payable
from marketplace.purchases.lapsing import lapse_stale
from marketplace.purchases.quotes import quote, quote_of

__all__ = ["Step", "StepKind", "deposit_calls", "lapse_stale", "quote", "quote_of", "require_payable"]
