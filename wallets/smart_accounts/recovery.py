"""A second passkey for an account that a passkey owns, and taking a lost one away: operations that the owner signs."""

from wallets.models import BackupPasskey, SmartAccount, UserOperation
from wallets.smart_accounts import keys, operations
from wallets.smart_accounts.calls import Checked
from wallets.smart_accounts.errors import PasskeyError, WrongStateError
from wallets.smart_accounts.keys import OwnerKey
from wallets.smart_accounts.passkeys import Passkey


def add_backup(account: SmartAccount, passkey: Passkey) -> UserOperation:
    """The operation that makes `passkey` the account's second one. It counts once that is in a block.

    Raises WrongStateError when there are two already, PasskeyError, and what `operations.build` raises.
    """
    owning = _owning(account)
    if len(owning) >= keys.MOST_KEYS:
        raise WrongStateError("This account has a backup already. Remove one of its two passkeys first.")
    if passkey.x == owning[0].x:
        raise PasskeyError("This passkey owns the account already. Make the backup on another device.")
    operation = _build(account, owning[0], passkey, "Add a backup passkey")
    BackupPasskey.objects.get_or_create(
        account=account,
        credential_id=passkey.credential_id,
        defaults={"x": passkey.x, "y": passkey.y, "transports": passkey.transports},
    )
    return operation


def remove(account: SmartAccount, credential: str) -> UserOperation:
    """The operation that takes a passkey away, for the other one to sign.

    Raises WrongStateError for the last one, PasskeyError, and what `operations.build` raises.
    """
    owning = _owning(account)
    if credential not in {key.credential for key in owning}:
        raise PasskeyError("This passkey does not own the account.", code="passkey_not_found")
    kept = [key for key in owning if key.credential != credential]
    if not kept:
        raise WrongStateError("Nobody could open the account without this passkey. Add another one first.")
    return _build(account, kept[0], None, "Remove a passkey")


def _owning(account: SmartAccount) -> list[OwnerKey]:
    if account.owner_kind != SmartAccount.Owner.PASSKEY:
        raise WrongStateError("A wallet owns this account. It is backed up where the wallet keeps its key.")
    return keys.owners(account)


def _build(account: SmartAccount, kept: OwnerKey, backup: Passkey | None, purpose: str) -> UserOperation:
    # A lost key takes along what was bought here, so we help to keep a second one as we help to buy.
    wished = Checked((keys.set_keys(account, kept, backup),), purpose, sponsorable=True)
    return operations.build_checked(account, wished)
