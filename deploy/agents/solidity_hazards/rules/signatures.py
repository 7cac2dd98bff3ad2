"""Signatures and hashes."""

import re
from collections.abc import Iterator
from itertools import pairwise

from ..finding import Finding, Hazard
from ..model import Scope, names
from ..syntax import Function, Variable
from ..tokens import Token, arguments, closing, contains, find

UNCHECKED_RECOVER = Hazard(
    "unchecked-ecrecover",
    "high",
    "The result of ecrecover is not checked for zero",
    "For an invalid signature ecrecover returns the zero address. Where the expected signer is unset, that is a match.",
    "require(signer != address(0)), or use OpenZeppelin's ECDSA, which also refuses malleable signatures.",
)
REPLAY = Hazard(
    "signature-replay",
    "high",
    "A signature can be used again",
    "Nothing in the signed message changes from one use to the next, or ties it to this contract and chain.",
    "Sign EIP-712 data with a nonce, a deadline and a domain of contract address and chain id.",
)
PACKED = Hazard(
    "packed-hash-collision",
    "medium",
    "Different values give the same hash",
    'abi.encodePacked joins values without their lengths: ("a", "bc") and ("ab", "c") are the same.',
    "Use abi.encode.",
)


def recovery(scope: Scope) -> Iterator[Finding]:
    """ecrecover without a zero check, and messages without nonce or domain."""
    for function in scope.own():
        index = find(function.tokens, "ecrecover", "(")
        wrapped = find(function.tokens, "ECDSA", ".", "recover", "(")
        if wrapped < 0:
            wrapped = find(function.tokens, ".", "recover", "(")
        if index < 0 and wrapped < 0:
            continue
        line = function.tokens[max(index, 0) if index >= 0 else wrapped].line
        if index >= 0 and not contains(function.tokens, "address", "(", "0", ")"):
            yield Finding(UNCHECKED_RECOVER, line, function.name, "a wrong signature gives address(0)")
        if function.is_open and function.changes_state and not _is_bound(function, scope):
            yield Finding(REPLAY, line, function.name, "no nonce, used-mark or domain in sight")


def _is_bound(function: Function, scope: Scope) -> bool:
    words = set(names(function.tokens))
    for one in scope.functions.values():
        for inner in one:
            if inner.name in words:
                words |= names(inner.tokens)
    return any(
        re.search(r"nonce|used|consumed|claimed|executed|redeemed|domain|chainid|_hashTypedData", word, re.IGNORECASE)
        for word in words
    )


def packed(scope: Scope) -> Iterator[Finding]:
    """keccak256(abi.encodePacked(…)) over two or more values of variable length."""
    for function in scope.own():
        kinds: dict[str, Variable] = dict(scope.state)
        kinds.update({variable.name: variable for variable in [*function.parameters, *function.locals()]})
        index = find(function.tokens, "encodePacked", "(")
        while index >= 0:
            parts = arguments(function.tokens, index + 1)
            varying = [part for part in parts if _is_dynamic(part, kinds)]
            hashed = index >= 4 and function.tokens[index - 4].text == "keccak256"
            if hashed and len(varying) >= 2 and _adjacent(parts, varying):
                shown = ", ".join("".join(token.text for token in part) for part in varying[:3])
                yield Finding(
                    PACKED, function.tokens[index].line, function.name, f"values of variable length: `{shown}`"
                )
            index = find(function.tokens, "encodePacked", "(", start=index + 1)


def _adjacent(parts: list[list[Token]], varying: list[list[Token]]) -> bool:
    """Whether two of them stand side by side, so that one can take from the other."""
    places = [place for place, part in enumerate(parts) if part in varying]
    return any(second - first == 1 for first, second in pairwise(places))


def _is_dynamic(part: list[Token], kinds: dict[str, Variable]) -> bool:
    if not part:
        return False
    first = part[0]
    if first.text in {"string", "bytes"} and len(part) > 1 and part[1].text == "(":
        return closing(part, 1) == len(part) - 1
    if len(part) == 1 and first.text in kinds:
        kind = kinds[first.text].type
        return kind in {"string", "bytes"} or kind.endswith("[]")
    return False
