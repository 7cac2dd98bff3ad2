"""The tables of this room, by subject."""

from wallets.credentials.models import ApiKey, TokenFamily
from wallets.signin.models import BrowserSession, LinkedWallet, User
from wallets.smart_accounts.models import BackupPasskey, SmartAccount, UserOperation

__all__ = [
    "ApiKey",
    "BackupPasskey",
    "BrowserSession",
    "LinkedWallet",
    "SmartAccount",
    "TokenFamily",
    "User",
    "UserOperation",
]
