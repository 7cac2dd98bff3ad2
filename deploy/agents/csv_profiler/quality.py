"""One score for a file, and what it is made of."""

import math
from dataclasses import dataclass

from .columns import Column
from .findings import Finding
from .reading import Table


@dataclass(frozen=True, slots=True)
class Dimension:
    """A side of quality, from 0 to 100."""

    dimension: str
    score: int
    explanation: str


@dataclass(frozen=True, slots=True)
class Quality:
    """`score` from 0 to 100 and its grade, A to F."""

    score: int
    grade: str
    dimensions: list[Dimension]


def assess(
    table: Table, columns: list[Column], findings: list[Finding], copies: int, misspelt: int, broken: int
) -> Quality:
    """The score: the geometric mean of five sides, so that one bad side cannot hide behind four good ones.

    A side loses with the share of rows or cells that are wrong; small shares weigh, because 2 % of wrong cells in ten
    columns touch one row in five.
    """
    rows = len(table.rows)
    cells = rows * len(columns)
    filled = sum(column.filled for column in columns)
    absent = cells - filled
    invalid = sum(len(column.invalid) for column in columns)
    far = sum("robust z" in one.problem for one in findings)
    keys = sum("key also used" in one.problem or "nearly the same" in one.problem for one in findings)
    uneven = len(table.ragged)
    dimensions = [
        _side("completeness", absent / cells, 2, f"{absent:,} of {cells:,} cells are missing"),
        _side("validity", (invalid + far) / max(filled, 1), 12, f"cells of the wrong kind: {invalid}, outliers: {far}"),
        _side(
            "uniqueness", (copies + keys) / rows, 4, f"repeated rows: {copies}, repeated keys or near copies: {keys}"
        ),
        _side(
            "consistency",
            (misspelt + broken) / rows,
            3,
            f"spellings that differ: {misspelt}, cells that break a rule: {broken}",
        ),
        _side(
            "structure",
            (uneven + len(table.remarks)) / rows,
            8,
            f"rows of another length: {uneven}, remarks on header or quotes: {len(table.remarks)}",
        ),
    ]
    score = round(math.prod(max(side.score, 1) for side in dimensions) ** (1 / len(dimensions)))
    grade = next((grade for least, grade in ((95, "A"), (85, "B"), (70, "C"), (50, "D")) if score >= least), "F")
    return Quality(score, grade, dimensions)


def _side(name: str, share: float, weight: float, explanation: str) -> Dimension:
    return Dimension(name, round(100 * max(1 - share, 0.0) ** weight), explanation)
