"""What a reader looks for in a text: figures, names, things to do and open questions."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import patterns
from .sentences import Sentence
from .stopwords import stopwords

_NO_UNITS = stopwords("en") | stopwords("de") | stopwords("fr") | stopwords("es") | {"am", "pm"}
_UNITS = {"year", "years"}
_GRAMMAR = frozenset(word for language in ("en", "de", "fr", "es") for word in stopwords(language))
_FIRST_PERSON = re.compile(r"(?:\w+, )?(?:I|Ich|Je|Yo)\b")
_CODE = re.compile(r"\d|\w\.\w\w|[a-z][A-Z]")  # words of programs are no names
_MOST = 40


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the text and where it stands."""

    figure: str
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Name:
    """`kind` is `organisation` or `person` where the text says so, else `name`."""

    name: str
    count: int
    kind: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is to be done; `owner` and `due` are empty where the sentence does not say."""

    action: str
    owner: str
    due: str


def figures(sentences: Sequence[Sentence], limit: int = _MOST) -> list[Figure]:
    """The amounts, percentages, dates, times and quantities of the text, in its order, each once."""
    found: list[Figure] = []
    seen: set[str] = set()
    for sentence in sentences:
        taken: list[tuple[int, int]] = []
        here: list[tuple[int, Figure]] = []
        for kind, pattern in patterns.FIGURES:
            for match in pattern.finditer(sentence.text):
                if any(match.start() < end and start < match.end() for start, end in taken):
                    continue
                if kind == "quantity" and match[0].rsplit(maxsplit=1)[-1].lower() in _NO_UNITS - _UNITS:
                    continue
                taken.append(match.span())
                here.append((match.start(), Figure(match[0].strip(), kind, sentence.shown)))
        for _, figure in sorted(here, key=lambda pair: pair[0]):
            if figure.figure not in seen:
                seen.add(figure.figure)
                found.append(figure)
    return found[:limit]


def names(sentences: Sequence[Sentence], language: str, limit: int = 20) -> list[Name]:
    """The names of the text by how often they occur. Empty for German, where every noun has a capital."""
    if language in {"de", "und", "zh", "ja", "th", "ko", "ar", "he", "hi"}:
        return []
    counts: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    opening: Counter[str] = Counter()
    lower_words = {
        word for sentence in sentences for word in re.findall(r"\b[^\W\d_]+\b", sentence.text) if word.islower()
    }
    for sentence in sentences:
        for start, name, before in _names_in(sentence, language):
            if start == 0 and " " not in name:
                # The capital may be the sentence's own: the word counts if it has one elsewhere, too.
                if name.lower() not in lower_words:
                    opening[name] += 1
                continue
            counts[name] += 1
            if patterns.ORGANISATION.search(name):
                kinds[name] = "organisation"
            elif patterns.TITLE.search(before):
                kinds[name] = "person"
    for name, count in opening.items():
        if name in counts:
            counts[name] += count
    for sentence in sentences:
        if sentence.speaker and sentence.place == 0:
            counts[sentence.speaker] += 1
            kinds[sentence.speaker] = "person"
    _merge_short_forms(counts)
    # An acronym that occurs once is hardly worth a line.
    kept = [(name, count) for name, count in counts.most_common() if count > 1 or not name.isupper()]
    return [Name(name, count, kinds.get(name, "name")) for name, count in kept[:limit]]


def _names_in(sentence: Sentence, language: str) -> Iterator[tuple[int, str, str]]:
    if sentence.is_heading:
        return
    ignored = stopwords(language)
    for match in patterns.NAME.finditer(sentence.text):
        start, name = match.start(), match[0]
        while (first := name.split(maxsplit=1)[0]).lower().replace("’", "'") in ignored:
            rest = name[len(first) :].lstrip()
            if not rest:
                name = ""
                break
            start, name = start + len(name) - len(rest), rest
        name = re.sub(r"(?:['’]s)$", "", name)
        if len(name) > 1 and not patterns.NO_NAME.fullmatch(name) and not _CODE.search(name):
            yield start, name, sentence.text[:start]


def _merge_short_forms(counts: Counter[str]) -> None:
    """Count `Meyer` as `Anna Meyer` where only one longer name ends or begins so."""
    for short in [name for name in counts if " " not in name]:
        longer = [name for name in counts if name.startswith(short + " ") or name.endswith(" " + short)]
        if len(longer) == 1 and not short.isupper():
            counts[longer[0]] += counts.pop(short)


def actions(sentences: Sequence[Sentence], limit: int = _MOST) -> list[Action]:
    """Sentences that oblige somebody: a duty in words, or a plan with a date or a doer. Questions are not actions."""
    found: list[Action] = []
    for sentence in sentences:
        text = sentence.text
        duty, plan = patterns.DUTY.search(text), patterns.PLAN.search(text)
        if sentence.is_heading or text.endswith("?") or not (duty or plan):
            continue
        owner = match[1] if (match := patterns.OWNER.match(text)) else ""
        due = match[1] if (match := patterns.DUE.search(text)) else ""
        if owner.lower().split(" ")[0] in _GRAMMAR or owner.lower() in {"action", "todo", "note"}:
            owner = ""
        if sentence.speaker and _FIRST_PERSON.match(text):
            owner = sentence.speaker
        if duty or due or owner:
            found.append(Action(sentence.shown, owner, due))
    return found[:limit]


def questions(sentences: Sequence[Sentence], limit: int = _MOST) -> list[str]:
    """The questions the text asks, in its order."""
    asked = [one.shown for one in sentences if one.text.rstrip("\"'”’)»").endswith(("?", "？"))]
    return asked[:limit]
