"""Rules that nearly all rows keep, found in the data, and the rows that break them."""

import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, islice, permutations

from . import numeric
from .columns import Column
from .relations import Relation

KEPT = 0.85  # share of rows that must keep a formula before breaking it is an error
ORDER_KEPT = 0.95
DETERMINED = 0.9
MOST_BROKEN = 0.15
LEAST_ROWS = 15
MOST_FORMULA_COLUMNS = 10

_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "×": operator.mul,
    "+": operator.add,
    "-": operator.sub,
}


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell that breaks a rule, and what the rule would have there."""

    row: int
    column: str
    problem: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and the cells that break it."""

    relation: Relation
    broken: list[Broken] = field(default_factory=list)


def formulas(columns: list[Column]) -> list[Rule]:
    """Columns that are the product, sum or difference of two others in nearly all rows."""
    numbers = [column for column in columns if column.is_numeric and column.distinct > 5][:MOST_FORMULA_COLUMNS]
    found: list[Rule] = []
    explained: set[frozenset[str]] = set()
    for result, (sign, function, left, right) in _candidates(numbers):
        names = frozenset({result.name, left.name, right.name})
        if names in explained:
            continue
        rule = _formula(result, sign, function, left, right)
        if rule is not None:
            explained.add(names)
            found.append(rule)
    return found


def _candidates(
    numbers: list[Column],
) -> Iterator[tuple[Column, tuple[str, Callable[[float, float], float], Column, Column]]]:
    for result in numbers:
        others = [column for column in numbers if column is not result]
        for sign, function in _OPERATIONS.items():
            pairs = permutations(others, 2) if sign == "-" else combinations(others, 2)
            for left, right in pairs:
                yield result, (sign, function, left, right)


def _formula(
    result: Column, sign: str, function: Callable[[float, float], float], left: Column, right: Column
) -> Rule | None:
    # A look at some rows spares looking at all of them for the many formulas that do not hold.
    some = islice(result.numbers, 0, None, max(len(result.numbers) // 40, 1))
    probe = [row for row in some if row in left.numbers and row in right.numbers]
    if sum(_holds(result, function, left, right, row) for row in probe) < 0.6 * max(len(probe), 1):
        return None
    rows = sorted(result.numbers.keys() & left.numbers.keys() & right.numbers.keys())
    if len(rows) < LEAST_ROWS:
        return None
    wrong = [row for row in rows if not _holds(result, function, left, right, row)]
    telling = sum(left.numbers[row] not in (0, 1) and right.numbers[row] not in (0, 1) for row in rows)
    if len(wrong) > (1 - KEPT) * len(rows) or telling < LEAST_ROWS / 2:
        return None
    formula = f"{result.name} = {left.name} {sign} {right.name}"
    share = 1 - len(wrong) / len(rows)
    relation = Relation(
        "formula", result.name, f"{left.name} {sign} {right.name}", round(share, 3), f"{formula} in {share:.1%} of rows"
    )
    broken = []
    for row in wrong:
        one, other = left.numbers[row], right.numbers[row]
        expected = numeric.short(function(one, other))
        problem = f"{formula} elsewhere, but here {numeric.short(one)} {sign} {numeric.short(other)} = {expected}"
        broken.append(Broken(row, result.name, problem, _repair(result, sign, left, right, row, expected)))
    return Rule(relation, broken)


def _repair(result: Column, sign: str, left: Column, right: Column, row: int, expected: str) -> str:
    """Which of the three cells to change: an operand, if exactly one has a value that other rows have too."""
    value, one, other = result.numbers[row], left.numbers[row], right.numbers[row]
    inverse: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {
        "×": (lambda: value / other, lambda: value / one),
        "+": (lambda: value - other, lambda: value - one),
        "-": (lambda: value + other, lambda: one - value),
    }
    possible = []
    for column, solve in zip((left, right), inverse[sign], strict=True):
        try:
            solution = round(solve(), 6)
        except ZeroDivisionError:
            continue
        if solution in column.numbers.values():
            possible.append(f"{column.name} is {numeric.short(solution)}")
    if len(possible) == 1:
        return f"Probably {possible[0]}; if not, {result.name} is {expected}."
    return f"Probably {result.name} is {expected}."


def _holds(result: Column, function: Callable[[float, float], float], left: Column, right: Column, row: int) -> bool:
    value, expected = result.numbers[row], function(left.numbers[row], right.numbers[row])
    # Half a cent, or what is lost when six digits are written.
    return abs(value - expected) <= max(0.006, abs(expected) * 1e-5)


def dependencies(columns: list[Column]) -> list[Rule]:
    """Columns whose value follows from another's: a city has one country, a product one price group."""
    keys = [column for column in columns if column.kind in {"category", "boolean"} and column.distinct >= 2]
    return [rule for key, value in permutations(keys, 2) if (rule := _dependency(key, value)) is not None]


def _dependency(key: Column, value: Column) -> Rule | None:
    skipped = {*key.missing, *value.missing}
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for row, cell in enumerate(key.cells):
        if row not in skipped:
            groups[cell.strip()][value.cells[row].strip()] += 1
    repeated = {group: counts for group, counts in groups.items() if counts.total() >= 3}
    total = sum(counts.total() for counts in repeated.values())
    if total < LEAST_ROWS or total < 0.6 * len(key.cells) or len(repeated) < 3:
        return None
    overall: Counter[str] = Counter()
    for counts in repeated.values():
        overall.update(counts)
    commonest = overall.most_common(1)[0][1]
    right = sum(counts.most_common(1)[0][1] for counts in repeated.values())
    # Goodman and Kruskal's lambda: how many of the errors of guessing are spared by knowing the key.
    if commonest == total or (right - commonest) / (total - commonest) < DETERMINED:
        return None
    usual = {group: counts.most_common(1)[0] for group, counts in repeated.items()}
    broken = [
        Broken(
            row,
            value.name,
            f"{key.name} “{group}” has “{usual[group][0]}” in {usual[group][1]} other rows",
            f"Probably “{usual[group][0]}”, or the {key.name} is wrong.",
        )
        for row, cell in enumerate(key.cells)
        if row not in skipped
        and (group := cell.strip()) in usual
        and value.cells[row].strip() != usual[group][0]
        and usual[group][1] >= 3
    ]
    if len(broken) > MOST_BROKEN * total:
        return None
    share = right / total
    detail = f"{key.name} decides {value.name} in {share:.1%} of rows"
    return Rule(Relation("dependency", key.name, value.name, round(share, 3), detail), broken)


def orders(columns: list[Column]) -> list[Rule]:
    """Dates of which one never comes before the other, in nearly all rows."""
    dated = [column for column in columns if column.dates]
    found: list[Rule] = []
    for first, second in permutations(dated, 2):
        rows = sorted(first.dates.keys() & second.dates.keys())
        wrong = [row for row in rows if first.dates[row] > second.dates[row]]
        different = sum(first.dates[row] != second.dates[row] for row in rows)
        if len(rows) < LEAST_ROWS or different < len(rows) / 2 or len(wrong) > (1 - ORDER_KEPT) * len(rows):
            continue
        share = 1 - len(wrong) / len(rows)
        relation = Relation(
            "order",
            first.name,
            second.name,
            round(share, 3),
            f"{first.name} is not after {second.name} in {share:.1%} of rows",
        )
        found.append(
            Rule(
                relation,
                [
                    Broken(
                        row,
                        second.name,
                        f"before {first.name}, which is {first.cells[row].strip()}",
                        "One of the two is wrong.",
                    )
                    for row in wrong
                ],
            )
        )
    return found
