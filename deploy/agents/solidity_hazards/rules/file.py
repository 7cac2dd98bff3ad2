"""The file as a whole."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..finding import Finding, Hazard
from ..syntax import Source
from ..tokens import Token

NO_PRAGMA = Hazard(
    "missing-pragma",
    "low",
    "No compiler version",
    "Whatever compiler is at hand will be used.",
    "pragma solidity 0.8.24; (the version you test with)",
)
FLOATING = Hazard(
    "floating-pragma",
    "low",
    "The compiler version is left open",
    "The contract may be deployed with another compiler, and its bugs, than the one it was tested with.",
    "Name one version, unless this is a library for others.",
)
OLD = Hazard(
    "old-compiler",
    "medium",
    "An old compiler is allowed",
    "Compilers before 0.8 do not check arithmetic, and have known bugs that newer ones have not.",
    "Use 0.8.20 or newer.",
)
HIDDEN = Hazard(
    "hidden-characters",
    "high",
    "Characters that make the source look other than it is",
    "Characters that turn the direction of writing can hide code in what looks like a comment (“Trojan Source”).",
    "Remove them.",
)
DEPRECATED = Hazard(
    "deprecated",
    "low",
    "A word that has been removed from the language, or will be",
    "It behaves differently from its replacement, or does not compile any more.",
    "Use the replacement.",
)

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_UNSEEN = re.compile("[\u200b-\u200d\u2060\ufeff]")
_REPLACED = {
    "suicide": "selfdestruct",
    "sha3": "keccak256",
    "throw": "revert",
    "callcode": "delegatecall",
    "now": "block.timestamp",
}


@dataclass(frozen=True, slots=True)
class File:
    """The source in the forms that the rules look at."""

    text: str
    tokens: list[Token]
    source: Source


def pragmas(file: File) -> Iterator[Finding]:
    """No version, an open one, or an old one."""
    found = [
        (line, text.removeprefix("solidity").strip())
        for line, text in file.source.pragmas
        if text.startswith("solidity")
    ]
    if not found:
        yield Finding(NO_PRAGMA, 1, "file", "there is no `pragma solidity`")
        return
    libraries_only = bool(file.source.contracts) and all(
        one.kind in {"library", "interface"} for one in file.source.contracts
    )
    for line, text in found:
        shown = re.sub(r"\s*\.\s*", ".", text).replace("^ ", "^")
        if re.search(r"[\^~>*x]|<|-|\|\|", text) and not libraries_only:
            yield Finding(FLOATING, line, "file", f"`{shown}`")
        version = re.search(r"(\d+)\s*\.\s*(\d+)(?:\s*\.\s*(\d+))?", text)
        if version is None:
            continue
        parts = (int(version[1]), int(version[2]), int(version[3] or 0))
        if parts < (0, 8, 0) and any(one.kind != "interface" for one in file.source.contracts):
            yield Finding(OLD, line, "file", f"`{shown}`")
        elif parts < (0, 8, 18) and not re.search(r"[\^>*]", text):
            yield Finding(OLD, line, "file", f"`{shown}` is years old", "info")


def hidden_characters(file: File) -> Iterator[Finding]:
    """Characters that turn the writing direction, or are not seen."""
    for match in _TURNING.finditer(file.text):
        line = file.text.count("\n", 0, match.start()) + 1
        yield Finding(HIDDEN, line, "file", f"U+{ord(match[0]):04X} turns the direction of writing")
    for match in _UNSEEN.finditer(file.text, 1):
        line = file.text.count("\n", 0, match.start()) + 1
        yield Finding(HIDDEN, line, "file", f"U+{ord(match[0]):04X} cannot be seen", "low")


def deprecated(file: File) -> Iterator[Finding]:
    """Words with a replacement."""
    for index, token in enumerate(file.tokens):
        if token.kind != "name" or token.text not in _REPLACED:
            continue
        before = file.tokens[index - 1].text if index else ""
        after = file.tokens[index + 1].text if index + 1 < len(file.tokens) else ""
        is_own_name = before in {"function", "event", "error", "modifier", "uint256", "uint", "address", "bool"}
        if (
            is_own_name
            or (before == "." and token.text != "callcode")
            or (token.text in {"suicide", "sha3"} and after != "(")
        ):
            continue
        yield Finding(DEPRECATED, token.line, "file", f"`{token.text}`: use `{_REPLACED[token.text]}`")
