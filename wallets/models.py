"""The tables of this room, by subject."""

from wallets.credentials.models import ApiKey, TokenFamily
from wallets.signin.models import BrowserSession, LinkedWallet, User

__all__ = ["ApiKey", "BrowserSession", "LinkedWallet", "TokenFamily", "User"]
