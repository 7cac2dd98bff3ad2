"""The agent: reads a CSV file, says what is in it and what is wrong with it, and hands it back repaired."""

import re
from collections import Counter
from dataclasses import asdict
from typing import Any

from agentnexus_agent import AgentError, InputFile, agent, log, output_file

from . import cleaning, findings, page, quality, relations, rules
from .columns import Column, facts, profile
from .findings import SEVERITIES, Finding
from .reading import DELIMITER_NAMES, Table, UnreadableError, read
from .report import write

MOST_FINDINGS = 500
LARGEST_TEXT = 600_000  # bytes of cleaned CSV that still fit into a result beside everything else


def examine(
    text: str, delimiter: str = "auto", header: str = "auto", outlier_limit: float = 4.0, clean: bool = True
) -> dict[str, Any]:
    """The profile of a CSV file as the output schema has it. Raises AgentError for what is no table."""
    try:
        table = read(text, delimiter, header)
    except UnreadableError as error:
        raise AgentError(str(error)) from None
    log(
        f"Read {len(table.rows):,} rows × {len(table.header)} columns, {DELIMITER_NAMES[table.delimiter]}-separated, "
        f"{'with' if table.has_header else 'without'} a header row"
    )

    columns: list[Column] = []
    for index, name in enumerate(table.header):
        columns.append(profile(name, table.column(index)))
        log.progress(index + 1, len(table.header), f"columns profiled: {name} is {columns[-1].kind}")
    kinds = Counter(column.kind for column in columns)
    log("Kinds of columns: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))

    found_rules = [*rules.formulas(columns), *rules.dependencies(columns), *rules.orders(columns)]
    log(
        f"Found {len(found_rules)} rules that the rows keep"
        + "".join(f"; {rule.relation.detail}" for rule in found_rules[:3])
    )
    found_relations = [
        *(rule.relation for rule in found_rules),
        *relations.correlations(columns, log.progress),
        *relations.associations(columns, {(rule.relation.left, rule.relation.right) for rule in found_rules}),
    ]
    log(f"Found {len(found_relations)} relations between columns")

    found, copies, intended = _findings(table, columns, found_rules, outlier_limit)
    worst = Counter(one.severity for one in found)
    log("Findings: " + ", ".join(f"{worst[level]} {level}" for level in SEVERITIES))

    misspelt = sum(one.problem.startswith("looks like") for one in found)
    broken = sum(len(rule.broken) for rule in found_rules)
    assessed = quality.assess(table, columns, found, len(copies), misspelt, broken)
    log(f"Quality {assessed.score} of 100, grade {assessed.grade}")

    cleaned, changes = cleaning.clean(table, columns, copies, intended) if clean else ("", [])
    if clean:
        log("Cleaned: " + (", ".join(f"{one.change}: {one.count}" for one in changes) or "nothing to repair"))
    absent = sum(len(column.missing) for column in columns)
    result = {
        "overview": {
            "rows": len(table.rows),
            "columns": len(table.header),
            "delimiter": DELIMITER_NAMES[table.delimiter],
            "has_header": table.has_header,
            "missing_cells": absent,
            "missing_share": round(absent / (len(table.rows) * len(columns)), 4),
            "duplicate_rows": len(copies),
        },
        "quality": asdict(assessed),
        "suggestions": _suggestions(columns, found, copies),
        "findings": [asdict(one) for one in found[:MOST_FINDINGS]],
        "columns": [asdict(facts(column)) for column in columns],
        "relations": [asdict(one) for one in found_relations],
        "changes": [asdict(one) for one in changes],
        "cleaned_csv": cleaned,
    }
    return {"report": write(result), **result}


def _findings(
    table: Table, columns: list[Column], found_rules: list[rules.Rule], outlier_limit: float
) -> tuple[list[Finding], list[int], dict[str, dict[str, str]]]:
    """All findings, worst first; the rows that repeat another; and the spellings meant, by column."""
    found = findings.structure(table)
    intended: dict[str, dict[str, str]] = {}
    for number, column in enumerate(columns, start=1):
        found += findings.cells(table, column)
        misspelt, intended[column.name] = findings.spellings(table, column)
        found += misspelt
        found += findings.outliers(table, column, outlier_limit)
        found += [one for one in findings.rare_categories(table, column) if one.value not in intended[column.name]]
        log.progress(number, len(columns), f"columns searched for anomalies: {column.name}")
    repeated, copies = findings.duplicates(table, columns)
    found += repeated
    found += findings.near_copies(table, columns, copies)
    found += findings.broken_rules(table, found_rules)
    found += findings.missing(columns, [facts(column) for column in columns])
    return findings.merged(found), copies, intended


def _suggestions(columns: list[Column], found: list[Finding], copies: list[int]) -> list[str]:
    """The few things that repair most, most urgent first."""
    steps = [f"Remove {_some(len(copies), 'repeated row')}."] if copies else []
    for column in columns:
        here = [one for one in found if one.column == column.name]
        for mark, severity, step in (
            ("elsewhere, but here", "", "Recalculate {name} in {rows}."),
            ("key also used", "", "Give {rows} a new {name}: it is used twice."),
            (f"not {findings.article(column.kind)} ", "", "Correct {name} in {rows}: not {kind}."),
            ("robust z", "high", "Check {name} in {rows}: far from all others."),
            ("negative, unlike", "", "Check the sign of {name} in {rows}."),
            ("looks like", "", "Unify the spelling of {name} in {rows}."),
        ):
            matching = [one for one in here if mark in one.problem and severity in ("", one.severity)]
            if matching:
                kind = f"{findings.article(column.kind)} {column.kind}"
                steps.append(step.format(name=column.name, kind=kind, rows=_rows(matching)))
    return steps[:12]


def _some(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _rows(found: list[Finding]) -> str:
    numbers = [str(one.row) for one in found]
    return f"row{'s' if len(numbers) > 1 else ''} {', '.join(numbers[:5])}{' …' if len(numbers) > 5 else ''}"


def _text_of(file: InputFile) -> str:
    log(f"Reading {file.name}, {file.size:,} bytes")
    try:
        return file.read_text()
    except UnicodeDecodeError:
        raise AgentError(f"{file.name} is not text in UTF-8. Save it as UTF-8 and try again.") from None


def _plain(name: str) -> str:
    """What the result's files are called after."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")[:60] or "table"


@agent
def csv_profiler(
    csv: str = "",
    file: InputFile | None = None,
    delimiter: str = "auto",
    header: str = "auto",
    outlier_limit: float = 4.0,
    clean: bool = True,
) -> dict[str, Any]:
    """The agent's entry: its parameters are the members of the input schema."""
    if csv.strip() and file is not None:
        raise AgentError("Give the CSV as text or as a file, not both.")
    name = file.name.rpartition(".")[0] or file.name if file is not None else "table"
    result = examine(_text_of(file) if file is not None else csv, delimiter, header, outlier_limit, clean)
    result["report_file"] = output_file(f"{_plain(name)}-report.html", page.write(name, result))
    cleaned = result["cleaned_csv"].encode("utf-8", "replace")
    if cleaned:
        result["cleaned_file"] = output_file(f"{_plain(name)}-cleaned.csv", cleaned)
    if len(cleaned) > LARGEST_TEXT:
        log("The cleaned table is too large to be shown, so it is in the file only")
        result["cleaned_csv"] = ""
    return result
