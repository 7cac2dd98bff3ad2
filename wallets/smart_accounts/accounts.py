"""Opening smart accounts, and what they hold. Their addresses are known before their contracts are there."""

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction

from chain import artefacts
from chain.bindings.erc20 import Erc20
from chain.calls import Call, Contract, deployed_at
from chain.errors import NotDeployedError
from chain.networks import Network, get_network
from chain.rpc import pool_of
from chain.tokens import Token, tokens_for
from wallets.errors import WalletNotLinkedError
from wallets.models import SmartAccount, User
from wallets.smart_accounts import entry_point
from wallets.smart_accounts.errors import AccountNotFoundError, AccountTakenError, NotOfferedError
from wallets.smart_accounts.passkeys import Passkey

SALT = 0


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an account has: base units by token, and its wei at the EntryPoint, which pay for gas first."""

    balances: list[tuple[Token, int]]
    deposit: int
    is_deployed: bool


def offered_on(network: Network) -> bool:
    """Whether smart accounts can be used on `network`."""
    if not network.bundler_urls:
        return False
    try:
        factory_of(network)
    except NotDeployedError:
        return False
    return True


def require_offered(network: Network) -> None:
    """Raises NotOfferedError."""
    if not offered_on(network):
        raise NotOfferedError(f"Smart accounts are not offered on {network.name}.")


def factory_of(network: Network) -> Contract:
    """The accounts' factory. Raises NotDeployedError."""
    address = deployed_at(network, artefacts.ACCOUNT_FACTORY)
    return Contract(network, address, artefacts.load(artefacts.ACCOUNT_FACTORY))


def open_for_wallet(user: User, owner: str, network: Network) -> SmartAccount:
    """The smart account of one of the user's wallets; the same one every time.

    Raises NotOfferedError, WalletNotLinkedError, RpcUnavailableError.
    """
    require_offered(network)
    if not user.wallets.filter(address=owner).exists():
        raise WalletNotLinkedError("This address is not one of your wallets. Link it first.")
    address = str(factory_of(network).read("accountOf", owner, SALT))
    account, made = SmartAccount.objects.get_or_create(
        network=network.slug,
        address=address,
        defaults={"user": user, "owner_kind": SmartAccount.Owner.WALLET, "owner_address": owner},
    )
    if not made and account.user_id != user.pk:
        # The wallet was unlinked there and linked here: who has the wallet has its account.
        account.user = user
        account.save(update_fields=["user"])
    return account


def open_for_passkey(user: User, passkey: Passkey, network: Network) -> SmartAccount:
    """A new smart account whose owner is a new passkey.

    Raises NotOfferedError, AccountTakenError, RpcUnavailableError.
    """
    require_offered(network)
    x, y = (bytes.fromhex(part[2:]) for part in (passkey.x, passkey.y))
    address = str(factory_of(network).read("passkeyAccountOf", x, y, SALT))
    try:
        with transaction.atomic():
            return SmartAccount.objects.create(
                user=user,
                network=network.slug,
                address=address,
                owner_kind=SmartAccount.Owner.PASSKEY,
                public_key_x=passkey.x,
                public_key_y=passkey.y,
                credential_id=passkey.credential_id,
                transports=passkey.transports,
            )
    except IntegrityError as exc:
        raise AccountTakenError("This passkey owns a smart account already. Use another one.") from exc


def usable_by(user: User) -> list[SmartAccount]:
    """The user's smart accounts whose owner can still sign here, oldest first."""
    wallets = {wallet.address for wallet in user.wallets.all()}  # every page has them at hand
    accounts = user.smart_accounts.order_by("pk").prefetch_related("backups")
    return [account for account in accounts if account.owner_address is None or account.owner_address in wallets]


def usable_on(user: User, network: Network) -> list[SmartAccount]:
    """Those with which the user can pay on `network` now."""
    if not offered_on(network):
        return []
    return [account for account in usable_by(user) if account.network == network.slug]


def usable(user: User, *, network: str, address: str) -> SmartAccount | None:
    """The user's usable smart account at an address of a network."""
    return next((each for each in usable_by(user) if each.network == network and each.address == address), None)


def own(user: User, account_id: UUID) -> SmartAccount:
    """Raises AccountNotFoundError."""
    found = next((account for account in usable_by(user) if account.pk == account_id), None)
    if found is None:
        raise AccountNotFoundError("You have no such smart account.")
    return found


def holdings(account: SmartAccount) -> Holdings:
    """What the account has now, and whether its contract is there. Raises RpcUnavailableError."""
    network = get_network(account.network)
    balances = [
        (token, native_balance(account) if token.is_native else Erc20(network, token).balance_of(account.address))
        for token in tokens_for(network)
    ]
    return Holdings(balances, entry_point.deposit_of(network, account.address), is_deployed(account))


def native_balance(account: SmartAccount) -> int:
    """Wei. Raises RpcUnavailableError."""
    return int(pool_of(get_network(account.network)).call("eth_getBalance", account.address, "latest"), 16)


def is_deployed(account: SmartAccount) -> bool:
    """Whether the account's contract is on the chain now; what is seen is kept. Raises RpcUnavailableError."""
    code = str(pool_of(get_network(account.network)).call("eth_getCode", account.address, "latest"))
    there = code not in ("0x", "")
    if there != account.is_deployed:
        SmartAccount.objects.filter(pk=account.pk).update(is_deployed=there)
        account.is_deployed = there
    return there


def creation(account: SmartAccount) -> Call:
    """The call that makes the account's contract. Raises NotDeployedError."""
    factory = factory_of(get_network(account.network))
    if account.owner_kind == SmartAccount.Owner.WALLET:
        return factory.call("createAccount", account.owner_address, SALT)
    x, y = (bytes.fromhex(str(part)[2:]) for part in (account.public_key_x, account.public_key_y))
    return factory.call("createPasskeyAccount", x, y, SALT)
