"""The tables of this room, by subject."""

from wallets.credentials.models import TokenFamily
from wallets.signin.models import LinkedWallet, User

__all__ = ["LinkedWallet", "TokenFamily", "User"]
