"""What columns have to do with each other."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from . import numeric
from .columns import Column

WEAKEST = 0.3  # correlation that is worth a line
SIGNIFICANT = 0.01
PERMUTATION_WORK = 2_000_000  # values shuffled for all pairs together
MOST_SHUFFLES = 5_000
MOST_PAIRS = 60
SAMPLE = 4_000  # rows compared
SEED = 7

Progress = Callable[[float, float, str], None]


@dataclass(frozen=True, slots=True)
class Relation:
    """`strength` is between 0 and 1, or below 0 where one falls while the other grows."""

    kind: str
    left: str
    right: str
    strength: float
    detail: str


def correlations(columns: list[Column], progress: Progress) -> list[Relation]:
    """Rank correlations (Spearman) of the numeric columns that chance does not explain, strongest first.

    The chance is found by shuffling: how often does a shuffled column correlate as much?
    """
    generator = random.Random(SEED)  # noqa: S311  a fixed seed, so that the same file gives the same report
    pairs: list[tuple[Column, Column, list[float], list[float], float]] = []
    for left, right in combinations([column for column in columns if column.is_numeric], 2):
        common = sorted(left.numbers.keys() & right.numbers.keys())
        if len(common) < 10:
            continue
        if len(common) > SAMPLE:
            common = sorted(generator.sample(common, SAMPLE))
        one = numeric.standardised(numeric.ranks([left.numbers[row] for row in common]))
        other = numeric.standardised(numeric.ranks([right.numbers[row] for row in common]))
        strength = _dot(one, other)
        if abs(strength) >= WEAKEST:
            pairs.append((left, right, one, other, strength))
    pairs.sort(key=lambda pair: -abs(pair[4]))
    pairs = pairs[:MOST_PAIRS]
    shuffles = min(MOST_SHUFFLES, max(200, PERMUTATION_WORK // max(sum(len(pair[2]) for pair in pairs), 1)))
    found: list[Relation] = []
    for number, (left, right, one, other, strength) in enumerate(pairs, start=1):
        chance = _chance(one, other, strength, shuffles, generator)
        progress(number, len(pairs), f"pairs tested against {shuffles} shuffles: {left.name} × {right.name}")
        if chance <= SIGNIFICANT:
            way = "grow together" if strength > 0 else "one grows as the other falls"
            detail = f"{way}; by chance in fewer than {max(chance, 1 / shuffles):.2%} of shuffles"
            found.append(Relation("correlation", left.name, right.name, round(strength, 3), detail))
    return found


def _chance(one: list[float], other: list[float], strength: float, shuffles: int, generator: random.Random) -> float:
    """The share of shuffles that correlate as much. Stops early where chance clearly explains it."""
    shuffled = other[:]
    as_much = 0
    for done in range(1, shuffles + 1):
        generator.shuffle(shuffled)
        as_much += abs(_dot(one, shuffled)) >= abs(strength) - 1e-12
        if as_much >= 20:
            return as_much / done
    return as_much / shuffles


def _dot(one: list[float], other: list[float]) -> float:
    return math.fsum(map(float.__mul__, one, other))


def associations(columns: list[Column], known: set[tuple[str, str]]) -> list[Relation]:
    """How much groups tell about other groups (Cramér's V, bias-corrected) and about numbers (correlation ratio).

    Pairs that are `known` to follow a stricter rule are left out.
    """
    found: list[Relation] = []
    groups = [column for column in columns if column.is_categorical and 2 <= column.distinct <= 40]
    for left, right in combinations(groups, 2):
        if (left.name, right.name) in known or (right.name, left.name) in known:
            continue
        strength = _cramers_v(left, right)
        if strength >= WEAKEST:
            found.append(Relation("association", left.name, right.name, round(strength, 3), "groups that go together"))
    for group in groups:
        for column in columns:
            if column.is_numeric and (strength := _correlation_ratio(group, column)) >= 0.4:
                detail = f"{group.name} explains {strength**2:.0%} of the spread of {column.name}"
                found.append(Relation("group difference", group.name, column.name, round(strength, 3), detail))
    return sorted(found, key=lambda relation: -relation.strength)[:MOST_PAIRS]


def _cramers_v(left: Column, right: Column) -> float:
    skipped = {*left.missing, *right.missing}
    table: Counter[tuple[str, str]] = Counter(
        (left.cells[row].strip(), right.cells[row].strip()) for row in range(len(left.cells)) if row not in skipped
    )
    total = table.total()
    rows, cells = Counter[str](), Counter[str]()
    for (one, other), count in table.items():
        rows[one] += count
        cells[other] += count
    if total < 20 or min(len(rows), len(cells)) < 2:
        return 0.0
    # The sum over all cells of observed²/expected, minus the total, is chi-squared; empty cells add nothing to it.
    squared = total * sum(n * n / (rows[one] * cells[other]) for (one, other), n in table.items()) - total
    phi = max(0.0, squared / total - (len(rows) - 1) * (len(cells) - 1) / (total - 1))
    rows_left = len(rows) - (len(rows) - 1) ** 2 / (total - 1)
    cells_left = len(cells) - (len(cells) - 1) ** 2 / (total - 1)
    bound = min(rows_left, cells_left) - 1
    return min(math.sqrt(phi / bound), 1.0) if bound > 0 else 0.0


def _correlation_ratio(group: Column, column: Column) -> float:
    members: dict[str, list[float]] = defaultdict(list)
    skipped = set(group.missing)
    for row, value in column.numbers.items():
        if row not in skipped:
            members[group.cells[row].strip()].append(value)
    # Ranks, so that a single outlier cannot make a difference between groups.
    sizes = [len(values) for values in members.values()]
    flat = numeric.ranks([value for values in members.values() for value in values])
    if len(members) < 2 or len(flat) < 5 * len(members):
        return 0.0
    mean = (len(flat) + 1) / 2
    total = math.fsum((rank - mean) ** 2 for rank in flat)
    if total == 0:
        return 0.0
    between, start = 0.0, 0
    for size in sizes:
        part = flat[start : start + size]
        between += size * (math.fsum(part) / size - mean) ** 2
        start += size
    # Adjusted for the number of groups: many small groups explain much by chance.
    explained = 1 - (1 - between / total) * (len(flat) - 1) / max(len(flat) - len(members), 1)
    return math.sqrt(max(explained, 0.0))
