"""The marketplace in the admin, one slice a module."""

from marketplace.catalogue import admin as catalogue
from marketplace.disputes import admin as disputes
from marketplace.payouts import admin as payouts
from marketplace.purchases import admin as purchases

__all__ = ["catalogue", "disputes", "payouts", "purchases"]
