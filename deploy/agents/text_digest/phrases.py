"""Key phrases: runs of content words that a text comes back to (C-value, Frantzi and Ananiadou, 1996)."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .sentences import Sentence
from .stopwords import stopwords
from .words import WORD, stem

LONGEST = 4  # words
_PART = re.compile(r"[^\s\w'’‑-]|\s[-–—]\s")
_TOKEN = re.compile(r"[\w'’‑-]+")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]{2,}")
# English words that say how, how long or did what, and make poor first or last words of a phrase.
_WEAK = re.compile(
    r"\w{3,}ly|minutes?|hours?|days?|weeks?|months?|seconds?|times?|percent|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"january|february|march|april|may|june|july|august|september|october|november|december|"
    r"new|old|able|certain|different|general|important|main|various|today|yesterday|tomorrow|called|came|found|left|"
    r"met|ran|told|took|went|asked|looked|worked|wanted|started|happened|began|became",
    re.IGNORECASE,
)
_VERB_FOLLOWS = """
    to not never must can cannot will we you they i he she who should may would could did does do don't might please
"""
_BEFORE_VERBS = frozenset(_VERB_FOLLOWS.split())
_GERMAN_TITLE = re.compile(r"Frau|Herrn?|Dr|Prof|Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag")
_VERBAL = re.compile(r"\w{3,}(?:ed|ing)", re.IGNORECASE)  # too often a verb to stand alone as a phrase


@dataclass(frozen=True, slots=True)
class Phrase:
    """`phrase` as the text writes it most often; `score` is relative to the best, which has 1."""

    phrase: str
    count: int
    score: float


@dataclass(frozen=True, slots=True)
class _Use:
    words: tuple[str, ...]
    in_heading: bool
    position: float
    is_verb: bool


def key_phrases(sentences: Sequence[Sentence], language: str, limit: int) -> list[Phrase]:
    """The `limit` most telling phrases, best first, none of them a part of a better one that is as frequent."""
    uses: dict[tuple[str, ...], list[_Use]] = defaultdict(list)
    for number, sentence in enumerate(sentences):
        for words, is_verb in _candidates(sentence.text, language):
            key = tuple(stem(word, language) for word in words)
            uses[key].append(_Use(words, sentence.is_heading, number / len(sentences), is_verb))
    longer: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for key, found in uses.items():
        for part in _parts(key):
            longer[part].append(len(found))
    scores = {key: _score(key, found, longer.get(key, [])) for key, found in uses.items()}
    chosen = _choose(scores, uses, limit)
    best = scores[chosen[0]] if chosen else 1.0
    return [Phrase(_surface(uses[key]), len(uses[key]), round(scores[key] / best, 3)) for key in chosen]


def _candidates(text: str, language: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """All runs of up to four content words that no mark of punctuation cuts, and whether each seems to be a verb."""
    ignored = stopwords(language)
    for part in _PART.split(text):
        if _UNSPACED.search(part):
            yield from (((run,), False) for run in _UNSPACED.findall(part) if len(run) <= 12)
            continue
        run: list[str] = []
        before = ""
        for token in [*_TOKEN.findall(part), ""]:
            token = token.strip("-'’‑")
            lower = token.lower().replace("’", "'")
            if token and lower not in ignored and not token[0].isdigit() and len(token) > 1:
                run.append(token)
                continue
            for start, window in _windows(run, language):
                yield window, start == 0 and before in _BEFORE_VERBS
            run, before = [], lower


def _windows(run: list[str], language: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    for size in range(1, LONGEST + 1):
        for start in range(len(run) - size + 1):
            window = tuple(run[start : start + size])
            if _is_phrase(window, language) and all(WORD.search(word) for word in window):
                yield start, window


def _is_phrase(window: tuple[str, ...], language: str) -> bool:
    first, last = window[0], window[-1]
    if language == "en":
        return not (_WEAK.fullmatch(first) or _WEAK.fullmatch(last) or _VERBAL.fullmatch(last))
    if language == "de":
        # Nouns have a capital, and a phrase ends with one.
        return last[0].isupper() and not _GERMAN_TITLE.fullmatch(last)
    return True


def _parts(key: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {key[start : start + size] for size in range(1, len(key)) for start in range(len(key) - size + 1)}


def _score(key: tuple[str, ...], found: list[_Use], longer: list[int]) -> float:
    count = len(found)
    # What occurs only inside longer phrases is not a phrase of its own.
    independent = count - (sum(longer) / len(longer) if longer else 0.0)
    if independent <= 0 or sum(use.is_verb for use in found) >= 0.3 * count:
        return 0.0
    capital = sum(use.words[0][0].isupper() or use.words[-1][0].isupper() for use in found) / count
    heading = 1.5 if any(use.in_heading for use in found) else 1.0
    spread = 1.0 + (max(use.position for use in found) - min(use.position for use in found)) * 0.5
    early = 1.2 if found[0].position < 0.15 else 1.0
    length = 0.5 if len(key) == 1 else math.log2(len(key) + 1)
    rarity = 1.0 if count > 1 else 0.35
    return length * independent * heading * spread * early * rarity * (1.0 + 0.3 * capital)


def _choose(
    scores: dict[tuple[str, ...], float], uses: dict[tuple[str, ...], list[_Use]], limit: int
) -> list[tuple[str, ...]]:
    chosen: list[tuple[str, ...]] = []
    ordered = sorted((key for key in scores if scores[key] > 0), key=lambda key: (-scores[key], key))
    for key in ordered:
        if len(chosen) == limit:
            break
        if len(key) == 1 and len(uses[key]) < 2 and len(key[0]) < 4:
            continue
        if any(_overlaps(key, other, uses) for other in chosen):
            continue
        chosen.append(key)
    return chosen


def _overlaps(key: tuple[str, ...], other: tuple[str, ...], uses: dict[tuple[str, ...], list[_Use]]) -> bool:
    """Whether `key` would only repeat `other`, which was chosen before it."""
    if key in _parts(other):
        return len(uses[key]) <= 2 * len(uses[other])
    if other in _parts(key):
        return len(uses[key]) < 2
    return len(set(key) & set(other)) > len(key) / 2


def _surface(found: list[_Use]) -> str:
    """The commonest way of writing it; of equal ones the one without a sentence's capital."""
    counts = Counter(" ".join(use.words) for use in found)
    return max(counts, key=lambda text: (counts[text], text[:1].islower(), text))
