"""The agent: finds secrets and personal data, and hands the text back without them."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from agentnexus_agent import AgentError, agent, log

from .detectors import DETECTORS, KINDS
from .masking import Masked, mask, preview
from .report import verdict, write
from .spans import SEVERITIES, Kind, Span, without_overlaps

MOST_FINDINGS = 500
LARGE, FEW_FINDINGS = 600_000, 50  # bytes of masked text from which only so many finds are listed one by one
OWN_TERM = Kind("term of yours", "TERM", "medium", "You asked for it to be masked.")


def scrub(
    text: str,
    style: str = "label",
    minimum_confidence: float = 0.6,
    keep_kinds: Iterable[str] = (),
    keep_values: Iterable[str] = (),
    also_mask: Iterable[str] = (),
    with_originals: bool = False,
) -> dict[str, Any]:
    """The text without what ought not to be seen, as the output schema has it."""
    text = text.replace("\x00", "").removeprefix("\ufeff")
    if not text.strip():
        raise AgentError("The text is empty.")
    lines = text.count("\n") + 1
    log(f"Read {len(text):,} characters in {lines:,} line{'s' if lines > 1 else ''}")
    kept = {value.strip().casefold() for value in keep_values}
    skipped = set(keep_kinds)
    spans = list(_own_terms(text, also_mask))
    for number, (name, detector) in enumerate(DETECTORS, start=1):
        here = [
            span
            for span in detector(text)
            if span.confidence >= minimum_confidence
            and span.kind.name not in skipped
            and text[span.start : span.end].strip().casefold() not in kept
        ]
        if here:
            log(f"{name}: {len(here)} found")
        log.progress(number, len(DETECTORS), f"detectors run: {name}")
        spans += here
    chosen = without_overlaps(spans)
    log(f"{len(spans)} finds, {len(chosen)} after those that overlap are settled")
    masked_text, done = mask(text, chosen, style)
    counts = Counter(one.span.kind.severity for one in done)
    log("By severity: " + ", ".join(f"{counts[level]} {level}" for level in SEVERITIES))
    left = (
        sum(
            1
            for _, detector in DETECTORS
            for span in detector(masked_text)
            if span.confidence >= max(minimum_confidence, 0.9)
            and span.kind.name not in skipped
            and masked_text[span.start : span.end].strip().casefold() not in kept
        )
        if style == "label"
        else 0
    )
    if style == "label":
        log(f"Looked again at the masked text: {left} sure finds left")
    listed = MOST_FINDINGS if len(masked_text.encode("utf-8", "replace")) < LARGE else FEW_FINDINGS
    result = {
        "masked_text": masked_text,
        "overview": {
            "verdict": verdict(counts),
            "characters": len(text),
            "found": len(done),
            "distinct": len({(one.span.kind.label, one.replacement) for one in done}),
            **{level: counts[level] for level in SEVERITIES},
            "left_after_masking": left,
        },
        "kinds": _kinds(done),
        "findings": [_described(text, one) for one in done[:listed]],
        "originals": _originals(done) if with_originals and style == "label" else [],
    }
    return {"report": write(result), **result}


def _own_terms(text: str, terms: Iterable[str]) -> Iterable[Span]:
    for term in terms:
        if term.strip():
            for match in re.finditer(rf"(?<!\w){re.escape(term.strip())}(?!\w)", text, re.IGNORECASE):
                yield Span(OWN_TERM, *match.span(), 1.0, "on your list")


def _kinds(done: list[Masked]) -> list[dict[str, Any]]:
    order = {kind.name: place for place, kind in enumerate((*KINDS, OWN_TERM))}
    counts = Counter(one.span.kind for one in done)
    distinct = Counter(kind for kind, _ in {(one.span.kind, one.replacement) for one in done})
    return [
        {
            "kind": kind.name,
            "severity": kind.severity,
            "count": count,
            "distinct": distinct[kind],
            "advice": kind.advice,
        }
        for kind, count in sorted(
            counts.items(), key=lambda pair: (SEVERITIES.index(pair[0].severity), order[pair[0].name])
        )
    ]


def _described(text: str, one: Masked) -> dict[str, Any]:
    start = one.span.start
    return {
        "severity": one.span.kind.severity,
        "kind": one.span.kind.name,
        "line": text.count("\n", 0, start) + 1,
        "column": start - text.rfind("\n", 0, start),
        "preview": preview(one.value, one.span),
        "replacement": one.replacement,
        "confidence": one.span.confidence,
        "reason": one.span.reason,
    }


def _originals(done: list[Masked]) -> list[dict[str, str]]:
    """What each placeholder stands for, in the fullest form that the text has."""
    fullest: dict[str, str] = {}
    for one in done:
        if len(one.value) > len(fullest.get(one.replacement, "")):
            fullest[one.replacement] = one.value
    return [{"placeholder": placeholder, "original": value} for placeholder, value in fullest.items()]


@agent
def secrets_scrubber(
    text: str,
    style: str = "label",
    minimum_confidence: float = 0.6,
    keep_kinds: list[str] | None = None,
    keep_values: list[str] | None = None,
    also_mask: list[str] | None = None,
    with_originals: bool = False,
) -> dict[str, Any]:
    """The agent's entry: its parameters are the members of the input schema."""
    return scrub(text, style, minimum_confidence, keep_kinds or (), keep_values or (), also_mask or (), with_originals)
