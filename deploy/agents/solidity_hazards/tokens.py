"""Cutting Solidity source into tokens, so that comments and strings can never look like code."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>//[^\n\r]*|/\*.*?(?:\*/|\Z))
  | (?P<string>(?:unicode|hex)?"(?:\\.|[^"\\\n\r])*(?:"|(?=[\n\r])|\Z)
              |(?:unicode|hex)?'(?:\\.|[^'\\\n\r])*(?:'|(?=[\n\r])|\Z))
  | (?P<number>0[xX][0-9a-fA-F_]+|(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][-+]?\d[\d_]*)?)
  | (?P<name>[A-Za-z_$][\w$]*)
  | (?P<mark>>>>=|<<=|>>=|>>>|\*\*|\+\+|--|=>|->|:=|==|!=|<=|>=|&&|\|\||\+=|-=|\*=|/=|%=|&=|\|=|\^=|<<|>>|.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is `name`, `number`, `string`, `mark` or `comment`; `line` counts from 1."""

    kind: str
    text: str
    line: int
    offset: int

    def __str__(self) -> str:
        return self.text


def tokenize(source: str) -> tuple[list[Token], list[Token]]:
    """The tokens of `source`, and apart from them its comments. Any text can be cut; nothing raises."""
    tokens: list[Token] = []
    comments: list[Token] = []
    line = 1
    for match in _TOKEN.finditer(source):
        kind, text = match.lastgroup or "mark", match[0]
        if kind == "comment":
            comments.append(Token(kind, text, line, match.start()))
        elif kind != "space":
            tokens.append(Token(kind, text, line, match.start()))
        line += text.count("\n")
    return tokens, comments


def texts(tokens: list[Token]) -> list[str]:
    """The tokens' texts."""
    return [token.text for token in tokens]


def written(tokens: list[Token]) -> str:
    """The tokens as the source has them, with one space wherever it has any."""
    parts: list[str] = []
    end = tokens[0].offset if tokens else 0
    for token in tokens:
        parts.append(" " + token.text if token.offset > end else token.text)
        end = token.offset + len(token.text)
    return "".join(parts)


_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = frozenset(_OPENING.values())


def closing(tokens: list[Token], start: int) -> int:
    """The index of the bracket that closes the one at `start`; the end of the tokens if none does."""
    depth = 0
    for index in range(start, len(tokens)):
        text = tokens[index].text
        if text in _OPENING and tokens[index].kind == "mark":
            depth += 1
        elif text in _CLOSING and tokens[index].kind == "mark":
            depth -= 1
            if depth == 0:
                return index
    return len(tokens)


def arguments(tokens: list[Token], start: int) -> list[list[Token]]:
    """What stands between the commas of the bracket that opens at `start`."""
    end = closing(tokens, start)
    return split(tokens[start + 1 : end], ",")


def split(tokens: list[Token], mark: str) -> list[list[Token]]:
    """`tokens` cut at each `mark` outside brackets; no parts for no tokens."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "mark" and token.text in _OPENING:
            depth += 1
        elif token.kind == "mark" and token.text in _CLOSING:
            depth -= 1
        if depth == 0 and token.text == mark and token.kind == "mark":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts if tokens else []


def contains(tokens: list[Token], *sequence: str) -> bool:
    """Whether the texts of `sequence` stand one after another somewhere in `tokens`."""
    return find(tokens, *sequence) >= 0


def find(tokens: list[Token], *sequence: str, start: int = 0) -> int:
    """Where the texts of `sequence` stand one after another, from `start` on; -1 if nowhere."""
    first, length = sequence[0], len(sequence)
    for index in range(start, len(tokens) - length + 1):
        if tokens[index].text == first and all(
            tokens[index + place].text == text and tokens[index + place].kind != "string"
            for place, text in enumerate(sequence)
        ):
            return index
    return -1
