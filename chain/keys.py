"""The platform's signing keys. A key signs and names its address; nothing can make it show itself.

`Signer` is the whole of what the rest needs, so that a key-management service can stand in for a key in the settings:
register one with `use_signer`.
"""

from collections.abc import Callable
from typing import Any, Protocol

from django.conf import settings
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import Hash32

from chain.errors import MissingKeyError
from chain.networks import Network

# The accounts of the mnemonic "test test test test test test test test test test test junk".
PUBLIC_TEST_ADDRESSES = frozenset(
    {
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
        "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
        "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
        "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
        "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
        "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
        "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
    }
)
KEY_NAMES = ("DEPLOYER_KEY", "QUOTE_SIGNER_KEY", "GRANT_KEY", "ARBITER_KEY", "RELAYER_KEY", "SPONSOR_KEY")


class Signer(Protocol):
    """What can sign for one address."""

    @property
    def address(self) -> str:
        """The checksummed address."""

    def sign_digest(self, digest: bytes) -> bytes:
        """The 65-byte signature (r, s, v with v 27 or 28) of a 32-byte digest."""

    def sign_transaction(self, transaction: dict[str, Any]) -> tuple[str, bytes]:
        """The hash and the raw bytes of the signed transaction."""


class LocalSigner:
    """A signer whose private key is in this process's memory."""

    __slots__ = ("_account",)

    def __init__(self, private_key: str) -> None:
        """Raises ValueError, without the key in its text, when `private_key` is not one."""
        try:
            self._account: LocalAccount = Account.from_key(private_key)
        except Exception:  # noqa: BLE001  eth-account raises many kinds, and some carry the key in their text
            raise ValueError("not a private key: expected 0x and 64 hexadecimal digits") from None

    @property
    def address(self) -> str:
        return str(self._account.address)

    def sign_digest(self, digest: bytes) -> bytes:
        return bytes(self._account.unsafe_sign_hash(Hash32(digest)).signature)

    def sign_transaction(self, transaction: dict[str, Any]) -> tuple[str, bytes]:
        signed = self._account.sign_transaction(transaction)
        return "0x" + bytes(signed.hash).hex(), bytes(signed.raw_transaction)

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

    def __reduce__(self) -> Any:
        raise TypeError("A signer cannot be pickled: its key would leave the process.")


_sources: dict[str, Callable[[], Signer]] = {}


def use_signer(name: str, source: Callable[[], Signer] | None) -> None:
    """Have `source` provide the signer `name` instead of settings.KEYS; None goes back to the settings."""
    if source is None:
        _sources.pop(name, None)
    else:
        _sources[name] = source


def get_signer(name: str, network: Network) -> Signer:
    """The signer `name` (one of KEY_NAMES) for use on `network`.

    Raises MissingKeyError when it is not configured, not a key, or a publicly known test key on a network that is not
    local.
    """
    if name in _sources:
        signer = _sources[name]()
    else:
        private_key = settings.KEYS.get(name, "")
        if not private_key:
            raise MissingKeyError(f"{name} is not set. Set it, or {name}_FILE, in the environment.")
        try:
            signer = LocalSigner(private_key)
        except ValueError as exc:
            raise MissingKeyError(f"{name} is {exc}.") from None
    if signer.address in PUBLIC_TEST_ADDRESSES and not network.is_local:
        raise MissingKeyError(f"{name} is a key that everybody knows; set one of your own to use {network.name}.")
    return signer


def is_public_test_key(private_key: str) -> bool:
    """Whether everybody knows this key."""
    try:
        return LocalSigner(private_key).address in PUBLIC_TEST_ADDRESSES
    except ValueError:
        return False
