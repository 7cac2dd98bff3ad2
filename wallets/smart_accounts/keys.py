"""Which passkeys own an account: the one it was made with, and a second one as backup.

The chain decides: keys change by operations of the account itself, and count here once such an operation is in a block.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from chain import artefacts
from chain.calls import Call
from chain.networks import get_network
from wallets.models import BackupPasskey, SmartAccount, UserOperation
from wallets.smart_accounts.passkeys import Passkey, written
from wallets.smart_accounts.states import Status

MOST_KEYS = 2
NO_KEY = "0x" + "00" * 32


@dataclass(frozen=True, slots=True)
class OwnerKey(Passkey):
    """A passkey that may sign for an account, since when."""

    created_at: datetime

    @property
    def credential(self) -> str:
        """Its id in base64url."""
        return written(self.credential_id)

    @property
    def kind(self) -> str:
        """What holds it, as far as the browser said."""
        if "internal" in self.transports:
            return "Passkey built into a device"
        if set(self.transports) & {"usb", "nfc", "ble"}:
            return "Passkey on a security key"
        return "Passkey"

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """For checking its signatures."""
        return ec.EllipticCurvePublicNumbers(int(self.x, 16), int(self.y, 16), ec.SECP256R1()).public_key()


def owners(account: SmartAccount) -> list[OwnerKey]:
    """The passkeys whose signature the account takes, oldest first; none for a wallet's account."""
    if account.owner_kind != SmartAccount.Owner.PASSKEY:
        return []
    backups = [_of_backup(backup) for backup in account.backups.all() if backup.owns]
    return [*([_founder(account)] if account.founder_owns else []), *sorted(backups, key=lambda key: key.created_at)]


def signers(operation: UserOperation) -> list[OwnerKey]:
    """The passkeys that may sign this operation. One that takes a key away is signed by the key that stays, so that
    nobody locks themselves out with a key that no longer works."""
    left = changed_keys(operation)
    return [key for key in owners(operation.account) if left is None or (key.x, key.y) in left]


def set_keys(account: SmartAccount, kept: OwnerKey, backup: Passkey | None) -> Call:
    """The account's call of itself that makes these its keys."""
    parts = (kept.x, kept.y, *((backup.x, backup.y) if backup else (NO_KEY, NO_KEY)))
    interface = artefacts.load(artefacts.PASSKEY_ACCOUNT).interface
    data = interface.encode_call("setKeys", *(bytes.fromhex(part[2:]) for part in parts))
    return Call(get_network(account.network).chain_id, account.address, data, 0)


def changed_keys(operation: UserOperation) -> set[tuple[str, str]] | None:
    """The keys that own the account after the operation, as (x, y); None for one that does not change them."""
    first = operation.calls[0]
    # Only operations that change keys call the account itself; no others are built.
    if str(first["to"]).lower() != operation.account.address.lower():
        return None
    words = bytes.fromhex(first["data"][10:])
    x, y, backup_x, backup_y = ("0x" + words[start : start + 32].hex() for start in range(0, 128, 32))
    return {(x, y)} | ({(backup_x, backup_y)} if backup_y != NO_KEY else set())


def settle(operation: UserOperation) -> None:
    """Note who owns the account after what became of an operation that changes its keys, in a block or out of it."""
    if changed_keys(operation) is None:
        return
    account = operation.account
    done = account.operations.select_related("account").filter(
        status=Status.INCLUDED, calls__0__to__iexact=account.address
    )
    last = done.order_by("-nonce").first()
    founder = _founder(account)
    owning = (changed_keys(last) if last else None) or {(founder.x, founder.y)}
    SmartAccount.objects.filter(pk=account.pk).update(founder_owns=(founder.x, founder.y) in owning)
    for backup in account.backups.all():
        BackupPasskey.objects.filter(pk=backup.pk).update(owns=(backup.x, backup.y) in owning)


def _founder(account: SmartAccount) -> OwnerKey:
    return OwnerKey(
        credential_id=bytes(account.credential_id or b""),
        x=str(account.public_key_x),
        y=str(account.public_key_y),
        transports=account.transports,
        created_at=account.created_at,
    )


def _of_backup(backup: BackupPasskey) -> OwnerKey:
    return OwnerKey(bytes(backup.credential_id), backup.x, backup.y, backup.transports, backup.created_at)
