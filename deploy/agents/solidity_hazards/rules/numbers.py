"""Numbers that overflow, are cut, or lose what they had after the point."""

import re
from collections.abc import Iterator

from ..finding import Finding, Hazard
from ..model import Scope
from ..tokens import Token, closing, contains
from ..tokens import written as source_of

OVERFLOW = Hazard(
    "overflow",
    "high",
    "Arithmetic that can overflow without notice",
    "Before Solidity 0.8 a sum beyond the largest number starts again at 0, and 0 - 1 is the largest number.",
    "Compile with 0.8 or newer, or use SafeMath everywhere.",
)
UNCHECKED = Hazard(
    "unchecked-arithmetic",
    "low",
    "Arithmetic in an unchecked block",
    "Inside `unchecked` numbers wrap around as they did before 0.8.",
    "Write down why it cannot overflow, or leave `unchecked` out.",
)
PRECISION = Hazard(
    "divide-before-multiply",
    "medium",
    "Division before multiplication",
    "Division drops the remainder, and the multiplication makes the loss larger.",
    "Multiply first, divide last.",
)
CAST = Hazard(
    "narrowing-cast",
    "low",
    "A number is cut to fewer bits",
    "An explicit cast drops the upper bits without an error, also in 0.8.",
    "Use OpenZeppelin's SafeCast.",
)

_OPERATORS = frozenset({"+", "-", "*", "+=", "-=", "*=", "++", "--", "**"})


def solidity_before_08(pragmas: list[str]) -> bool:
    """Whether the pragmas allow a compiler without overflow checks."""
    for text in pragmas:
        if not text.startswith("solidity"):
            continue
        first = re.search(r"(\d+)\s*\.\s*(\d+)", text)
        if first and (int(first[1]), int(first[2])) < (0, 8):
            return True
    return False


def arithmetic(scope: Scope) -> Iterator[Finding]:
    """Unchecked sums: everywhere before 0.8, in unchecked blocks since."""
    old = solidity_before_08([text for _, text in scope.source.pragmas])
    safe = "SafeMath" in scope.contract.using
    for function in scope.own():
        for statement in function.statements():
            if old and not safe and function.changes_state and statement.kind not in {"for", "while"}:
                token = _sum_of_variables(statement.tokens)
                if token is not None and any(name.text in scope.state for name in statement.tokens):
                    yield Finding(OVERFLOW, token.line, function.name, f"`{source_of(statement.tokens)[:80]}`")
            if statement.kind == "unchecked":
                inner = [one for branch in statement.branches for outer in branch for one in outer.walk()]
                risky = next((token for one in inner if (token := _sum_of_variables(one.tokens)) is not None), None)
                if risky is not None:
                    yield Finding(UNCHECKED, risky.line, function.name, "check that it cannot wrap around")


def _sum_of_variables(tokens: list[Token]) -> Token | None:
    """The first operator that is more than counting a loop's turns."""
    if len(tokens) == 2 and {token.text for token in tokens} & {"++", "--"}:
        return None
    for index, token in enumerate(tokens):
        if token.kind == "mark" and token.text in _OPERATORS and not _is_sign(tokens, index):
            return token
    return None


def _is_sign(tokens: list[Token], index: int) -> bool:
    """Whether a minus stands in front of a number."""
    return tokens[index].text == "-" and (
        index == 0 or (tokens[index - 1].kind == "mark" and tokens[index - 1].text not in {")", "]"})
    )


def precision(scope: Scope) -> Iterator[Finding]:
    """`a / b * c` and `(a / b) * c`."""
    for function in scope.own():
        for statement in function.statements():
            tokens = statement.tokens
            for index, token in enumerate(tokens):
                if token.kind == "mark" and token.text == "/" and _multiplied_after(tokens, index):
                    yield Finding(PRECISION, token.line, function.name, f"`{source_of(tokens)[:100]}`")
                    break


def _multiplied_after(tokens: list[Token], slash: int) -> bool:
    index, depth = slash + 1, 0
    while index < len(tokens):
        text = tokens[index].text
        if text in {"(", "["}:
            index = closing(tokens, index)
        elif text in {")", "]"}:
            depth += 1
            if text == "]" or not _opens_grouping(tokens, index):
                return False
        elif text == "*":
            return True
        elif text == "/" and depth == 0:
            pass
        elif tokens[index].kind == "mark" and text not in {".", "/"}:
            return False
        index += 1
    return False


def _opens_grouping(tokens: list[Token], end: int) -> bool:
    """Whether the bracket that closes at `end` groups, and is no call's."""
    depth = 0
    for index in range(end, -1, -1):
        depth += tokens[index].text == ")"
        depth -= tokens[index].text == "("
        if depth == 0:
            return index == 0 or tokens[index - 1].kind == "mark" or tokens[index - 1].text == "return"
    return False


def casts(scope: Scope) -> Iterator[Finding]:
    """uint128(x) and its like, where x is no number written down."""
    for function in scope.own():
        tokens = function.tokens
        for index, token in enumerate(tokens[:-1]):
            match = re.fullmatch(r"u?int(\d+)", token.text)
            if not match or int(match[1]) >= 160 or tokens[index + 1].text != "(" or token.kind != "name":
                continue
            inside = tokens[index + 2 : closing(tokens, index + 1)]
            literal = len(inside) == 1 and inside[0].kind == "number"
            harmless = contains(inside, "block", ".", "timestamp") and int(match[1]) >= 40
            enumeration = len(inside) == 1 and int(match[1]) == 8
            bounded = contains(inside, "%") or contains(inside, "type", "(") or contains(inside, "&")
            if not (literal or harmless or enumeration or bounded) and inside and inside[0].kind != "string":
                yield Finding(CAST, token.line, function.name, f"`{token.text}({source_of(inside)[:60]})`")
                break
