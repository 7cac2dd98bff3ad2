"""The detectors. Each is a function from the text to the spans it finds."""

from collections.abc import Callable, Iterator

from ..spans import Kind, Span
from . import accounts, credentials, identity, network, people, wallets

Detector = Callable[[str], Iterator[Span]]

DETECTORS: tuple[tuple[str, Detector], ...] = (
    ("private keys", credentials.private_keys),
    ("keys of known services", credentials.service_keys),
    ("tokens that carry claims (JWT)", credentials.web_tokens),
    ("passwords and keys that are assigned", credentials.assignments),
    ("connection strings and sign-in headers", credentials.connections),
    ("strings that look random", credentials.random_strings),
    ("recovery phrases and wallet keys", wallets.recovery_phrases),
    ("wallet addresses", wallets.addresses),
    ("payment cards", accounts.cards),
    ("bank accounts", accounts.bank_accounts),
    ("national identity numbers", identity.numbers),
    ("passports and licences", identity.documents),
    ("dates of birth", identity.births),
    ("e-mail addresses", people.emails),
    ("telephone numbers", people.telephones),
    ("postal addresses", people.streets),
    ("names", people.names),
    ("network addresses", network.addresses),
)
KINDS: tuple[Kind, ...] = (
    *credentials.KINDS,
    *wallets.KINDS,
    *accounts.KINDS,
    *identity.KINDS,
    *people.KINDS,
    *network.KINDS,
)
