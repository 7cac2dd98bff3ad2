"""The agent: reads a Solidity file and lists its known hazards."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from agentnexus_agent import AgentError, agent, log

from .finding import SEVERITIES, Finding
from .model import Scope, is_restricted, scopes, summary
from .report import grade, write
from .rules import CONTRACT_RULES, FILE_RULES
from .rules.file import File
from .syntax import parse
from .tokens import Token, tokenize

MOST_FINDINGS = 300
MOST_FUNCTIONS = 500
_SILENCED = re.compile(r"hazards-ignore:\s*([\w, -]+)")


def check(source: str, file_name: str = "contract.sol", minimum_severity: str = "info") -> dict[str, Any]:
    """The findings as the output schema has them. Raises AgentError for what is no Solidity at all."""
    source = source.replace("\x00", "")
    try:
        tokens, comments = tokenize(source)
        parsed = parse(tokens)
        if not (parsed.contracts or parsed.functions):
            raise AgentError("No contract, library, interface or function was found: is this a Solidity file?")
        lines = source.count("\n") + 1
        log(f"Read {lines:,} lines: {len(tokens):,} tokens, {len(comments):,} comments")
        log(
            "Contracts: "
            + ", ".join(f"{one.name} ({one.kind}, {len(one.functions)} functions)" for one in parsed.contracts)
        )
        found = list(_apply(File(source, tokens, parsed), scopes(parsed)))
        functions = _functions(scopes(parsed))
    except RecursionError:
        raise AgentError("The source is nested too deeply to be read.") from None
    shown, silenced = _silence(found, comments)
    log(f"{len(found)} findings, {silenced} of them silenced by comments in the source")
    least = SEVERITIES.index(minimum_severity)
    shown = [one for one in shown if SEVERITIES.index(one.level) <= least]
    shown.sort(key=lambda one: (SEVERITIES.index(one.level), one.line, one.hazard.code))
    counts = Counter(one.level for one in shown)
    log("By severity: " + ", ".join(f"{counts[level]} {level}" for level in SEVERITIES))
    verdict = grade(counts)
    log(f"Verdict: {verdict}")
    source_lines = source.splitlines()
    result = {
        "overview": {
            "file": file_name,
            "lines": lines,
            "contracts": len(parsed.contracts),
            "functions": sum(len(one.functions) for one in parsed.contracts) + len(parsed.functions),
            "verdict": verdict,
            **{level: counts[level] for level in SEVERITIES},
            "silenced": silenced,
        },
        "findings": [_described(one, source_lines) for one in shown[:MOST_FINDINGS]],
        "functions": functions,
    }
    return {"report": write(result), **result}


def _apply(file: File, found_scopes: list[Scope]) -> Iterator[Finding]:
    total = len(FILE_RULES) + len(CONTRACT_RULES)
    for number, (name, file_rule) in enumerate(FILE_RULES, start=1):
        yield from file_rule(file)
        log.progress(number, total, f"rules applied: {name}")
    for number, (name, rule) in enumerate(CONTRACT_RULES, start=len(FILE_RULES) + 1):
        here = [finding for scope in found_scopes for finding in rule(scope)]
        if here:
            first = min(one.line for one in here)
            log(f"{name}: {len(here)} finding{'s' if len(here) > 1 else ''}, first in line {first}")
        log.progress(number, total, f"rules applied: {name}")
        yield from here


def _silence(found: list[Finding], comments: list[Token]) -> tuple[list[Finding], int]:
    """Leave out what a comment on its line, or on the line above, names; and what was found twice."""
    allowed: dict[int, set[str]] = {}
    for comment in comments:
        if match := _SILENCED.search(comment.text):
            codes = {code.strip() for code in match[1].split(",")}
            last = comment.line + comment.text.count("\n")
            for line in (last, last + 1):
                allowed.setdefault(line, set()).update(codes)
    unique = {(one.hazard.code, one.line, one.detail): one for one in found}
    kept = [one for one in unique.values() if one.hazard.code not in allowed.get(one.line, set())]
    return kept, len(unique) - len(kept)


def _described(finding: Finding, lines: list[str]) -> dict[str, Any]:
    return {
        "severity": finding.level,
        "line": finding.line,
        "code": finding.hazard.code,
        "title": finding.hazard.title,
        "function": finding.where,
        "detail": finding.detail,
        "snippet": lines[finding.line - 1].strip()[:200] if finding.line <= len(lines) else "",
        "why": finding.hazard.why,
        "fix": finding.hazard.fix,
    }


def _functions(found_scopes: list[Scope]) -> list[dict[str, Any]]:
    """Who may call what: the open functions that change state, which are what an attacker has to work with."""
    rows = []
    for scope in found_scopes:
        for function in scope.contract.functions:
            if not function.is_open or not function.changes_state:
                continue
            done = summary(function, scope)
            rows.append(
                {
                    "contract": scope.contract.name,
                    "function": function.name,
                    "line": function.line,
                    "open_to": "some" if is_restricted(function, scope) else "everyone",
                    "payable": function.is_payable,
                    "writes": ", ".join(sorted(done.writes)),
                    "calls": ", ".join(dict.fromkeys(f"{call.target}.{call.method}" for call in done.calls)),
                }
            )
    return rows[:MOST_FUNCTIONS]


@agent
def solidity_hazards(source: str, file_name: str = "contract.sol", minimum_severity: str = "info") -> dict[str, Any]:
    """The agent's entry: its parameters are the members of the input schema."""
    return check(source, file_name, minimum_severity)
