"""The marketplace in the admin, one slice a module."""

from marketplace.catalogue import admin as catalogue
from marketplace.purchases import admin as purchases

__all__ = ["catalogue", "purchases"]
