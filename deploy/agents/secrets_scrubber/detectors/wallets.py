"""What gives access to money on a chain, or shows whose it is."""

import re
from collections.abc import Iterator

from .. import checksums
from ..spans import Kind, Span, near

_MOVE = "Move the funds to a new wallet at once: whoever has seen this can take them."
PHRASE = Kind("recovery phrase", "RECOVERY_PHRASE", "high", _MOVE)
WALLET_KEY = Kind("wallet private key", "WALLET_KEY", "high", _MOVE)
ADDRESS = Kind(
    "wallet address", "WALLET", "low", "Public by itself, but it ties a person to all payments of the wallet."
)
KINDS = (PHRASE, WALLET_KEY, ADDRESS)

_PHRASE_CONTEXT = re.compile(r"(?i)seed|mnemonic|recovery|backup phrase|secret phrase|wiederherstellung|bip.?39")
_WORDS = re.compile(
    r"(?<![\w-])(?:\d{1,2}[.)]\s*)?[a-z]{3,8}(?:(?:\s+\d{1,2}[.)]\s*|,\s*|\s+)[a-z]{3,8}){11,40}(?![\w-])"
)
_WORD = re.compile(r"[a-z]+")
_LENGTHS = (12, 15, 18, 21, 24)
# Words that fill English sentences and are in no list of recovery words.
_NO_RECOVERY_WORDS = """
    the and for are but not you was his her she has had him its our who did yet from they with this that have
    been were will would their there which when them then than these those into your what could should because
    does must shall
"""
_NEVER = frozenset(_NO_RECOVERY_WORDS.split())
_HEX_KEY = re.compile(r"(?<![0-9a-fA-Fx])(?:0x)?[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_KEY_CONTEXT = re.compile(r"(?i)priv(?:ate)?[_ -]?key|secret|signer|deployer|wallet[_ -]?key|\bpk\b")
_WIF = re.compile(r"(?<![A-Za-z0-9])(?:[5KL][1-9A-HJ-NP-Za-km-z]{50,51}|xprv[1-9A-HJ-NP-Za-km-z]{107})(?![A-Za-z0-9])")
_ETHEREUM = re.compile(r"(?<![0-9a-zA-Z])0x[0-9a-fA-F]{40}(?![0-9a-fA-F])")
_BITCOIN = re.compile(r"(?<![A-Za-z0-9])(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{11,71})(?![A-Za-z0-9])")


def recovery_phrases(text: str) -> Iterator[Span]:
    """Twelve to 24 short words in a row where such a phrase is spoken of, and private keys."""
    for run in _WORDS.finditer(text):
        for start, end, count in _segments(text, run):
            told = near(text, start, end, _PHRASE_CONTEXT, before=80) or _told_above(text, start)
            alone = text[:start].rpartition("\n")[2].strip() == ""
            if count in _LENGTHS and (told or alone):
                sure = 0.97 if told else 0.7
                yield Span(PHRASE, start, end, sure, f"{count} words in a row, as in a wallet's backup")
    for match in _HEX_KEY.finditer(text):
        if near(text, *match.span(), _KEY_CONTEXT, before=60):
            yield Span(WALLET_KEY, *match.span(), 0.97, "32 bytes called a key")
    for match in _WIF.finditer(text):
        if checksums.base58check(match[0]):
            yield Span(WALLET_KEY, *match.span(), 1.0, "Bitcoin private key, checksum right")


def _segments(text: str, run: re.Match[str]) -> Iterator[tuple[int, int, int]]:
    """The parts of a run of words between words that cannot be in a phrase: start, end and number of words."""
    words: list[re.Match[str]] = []
    for word in [*_WORD.finditer(text, run.start(), run.end()), None]:
        if word is not None and word[0] not in _NEVER:
            words.append(word)
            continue
        if words:
            yield words[0].start(), words[-1].end(), len(words)
        words = []


def _told_above(text: str, start: int) -> bool:
    return bool(_PHRASE_CONTEXT.search(text[max(0, start - 160) : start]))


def addresses(text: str) -> Iterator[Span]:
    """Ethereum and Bitcoin addresses."""
    for match in _ETHEREUM.finditer(text):
        yield Span(ADDRESS, *match.span(), 0.9, "Ethereum address")
    for match in _BITCOIN.finditer(text):
        if checksums.base58check(match[0]) or checksums.bech32(match[0]):
            yield Span(ADDRESS, *match.span(), 1.0, "Bitcoin address, checksum right")
