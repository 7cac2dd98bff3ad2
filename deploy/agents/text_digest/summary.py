"""Choosing the sentences that say most of a text."""

import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import ranking
from .sentences import Sentence
from .stopwords import stopwords
from .words import terms, words

SECTION = 250  # sentences ranked together; longer texts are ranked by section first
SHORTLIST = 320  # sentences that go on to the last round of a long text
FEWEST_REPLICAS, MOST_REPLICAS = 60, 600
REPLICA_WORK = 24_000  # sentences ranked in all replicas together: short texts get more of them
LEFT_OUT = 0.25  # of the sentences, in each replica
NOVELTY = 0.35  # how much being unlike the sentences already chosen counts against rank
SAME = 0.9  # likeness from which a sentence repeats one that is chosen
SEED = 2024

_HANGING = re.compile(
    r"^(?:(?:he|she|they|this|these|those|it|such|however|but|so|and|or|then|thus|also|his|her|their|its|er|sie|es|"
    r"dies|diese|dieser|dieses|aber|doch|il|elle|ils|elles|cela|mais|él|ella|ellos|esto|pero)\b)",
    re.IGNORECASE,
)
_OPEN = re.compile(r"[?？:][\"'”’)]*$")  # what asks or announces, and does not say
_PHATIC = re.compile(
    r"(?:good (?:morning|afternoon|evening)|morning|hello|hi|hey|thanks|thank you|great|okay|ok|yes|no|sure|welcome|"
    r"bye)\b",
    re.IGNORECASE,
)
_WEIGHTY = re.compile(
    r"\b(?:in (?:short|summary|conclusion)|overall|as a result|therefore|we (?:found|show|conclude|decided|recommend|"
    r"propose|agreed)|the (?:main|key|central|most important)|must|crucial|significant(?:ly)?|because|root cause|"
    r"insgesamt|zusammenfassend|entscheidend|en conclusion|en resumen)\b",
    re.IGNORECASE,
)

Progress = Callable[[float, float, str], None]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sentence of the summary: `index` into the text's sentences, `confidence` from 0 to 1."""

    index: int
    score: float
    confidence: float


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Sentences that were ranked together; all lists run parallel to `numbers`, the sentences' places in the text."""

    numbers: list[int]
    graph: list[dict[int, float]]
    prior: list[float]
    boost: list[float]

    def scores(self, kept: Sequence[bool] | None = None) -> list[float]:
        """What each sentence is worth; 0 for those that are not kept."""
        walked = ranking.rank(self.graph, self.prior, kept)
        size = len(self.numbers)
        # Rank alone likes long sentences that touch everything; what a reader would call weighty counts as well.
        return [
            (rank * size * 0.6 + weight * 0.4) * boost if kept is None or kept[place] else 0.0
            for place, (rank, weight, boost) in enumerate(zip(walked, self.prior, self.boost, strict=True))
        ]


def summarise(sentences: Sequence[Sentence], language: str, count: int, focus: str, progress: Progress) -> list[Chosen]:
    """The `count` most telling sentences in the order of the text; fewer where the text has no more.

    A sentence's confidence is the share of up to 600 replicas, each without a random quarter of the text, in which it
    was chosen again: a summary that hangs on a single sentence shows it.
    """
    candidates = [n for n, sentence in enumerate(sentences) if not sentence.is_heading] or list(range(len(sentences)))
    documents = [terms(sentence.text, language, stopwords(language)) for sentence in sentences]
    wanted = set(terms(focus, language, stopwords(language)))
    shortlist = _shortlist(sentences, documents, candidates, wanted, progress)
    ranked = _rank(sentences, documents, shortlist, wanted)
    scores = ranked.scores()
    chosen = _select(ranked, scores, count)
    votes = _replicate(ranked, chosen, count, progress)
    best = max(scores, default=1.0) or 1.0
    return [
        Chosen(ranked.numbers[place], round(scores[place] / best, 3), round(votes[place], 2))
        for place in sorted(chosen)
    ]


def _shortlist(
    sentences: Sequence[Sentence],
    documents: Sequence[list[str]],
    candidates: list[int],
    wanted: set[str],
    progress: Progress,
) -> list[int]:
    if len(candidates) <= SHORTLIST:
        return candidates
    kept: list[int] = []
    share = SHORTLIST / len(candidates)
    for start in range(0, len(candidates), SECTION):
        section = candidates[start : start + SECTION]
        ranked = _rank(sentences, documents, section, wanted)
        scores = ranked.scores()
        order = sorted(range(len(section)), key=scores.__getitem__, reverse=True)
        kept.extend(section[place] for place in order[: max(1, round(share * len(section)))])
        progress(start + len(section), len(candidates), "sentences ranked within their section")
    return sorted(kept)


def _rank(
    sentences: Sequence[Sentence], documents: Sequence[list[str]], numbers: list[int], wanted: set[str]
) -> _Ranked:
    graph = ranking.links(ranking.vectors([documents[number] for number in numbers]))
    headings = {term for n, sentence in enumerate(sentences) if sentence.is_heading for term in documents[n]}
    about = [set(documents[number]) for number in numbers]
    opening = next((n for n, sentence in enumerate(sentences) if not sentence.is_heading), 0)
    prior = [
        _prior(sentences[number], number - opening, len(sentences), subject, headings)
        for number, subject in zip(numbers, about, strict=True)
    ]
    boost = [
        (0.4 if _OPEN.search(sentences[number].text) else 1.0)
        * (1.0 + 6.0 * len(subject & wanted) / len(wanted) if wanted else 1.0)
        for number, subject in zip(numbers, about, strict=True)
    ]
    return _Ranked(numbers, graph, prior, boost)


def _prior(sentence: Sentence, number: int, total: int, about: set[str], headings: set[str]) -> float:
    """How likely a reader is to look at this sentence before knowing what it links to; 1 is usual.

    `number` counts from the first sentence that is no heading.
    """
    length = len(words(sentence.text))
    # Writers put first what matters most: taking a text's first sentences is a summary that is hard to beat.
    weight = 1.0 if sentence.speaker else 1.0 + 1.2 * math.exp(-number / 3)
    if sentence.place == 0:
        weight *= 1.2
    if number > total * 0.95:
        weight *= 1.1
    if length < 6:
        weight *= 0.3
    elif length < 9 or length > 45:
        weight *= 0.6
    if sentence.text[:1].islower() or _PHATIC.match(sentence.text):
        weight *= 0.4
    if _HANGING.match(sentence.text):
        weight *= 0.6
    if _WEIGHTY.search(sentence.text):
        weight *= 1.4
    if about & headings:
        weight *= 1.15
    return weight


def _select(ranked: _Ranked, scores: Sequence[float], count: int) -> list[int]:
    """Greedy maximal marginal relevance (Carbonell and Goldstein, 1998): rank, less likeness to what is chosen."""
    best = max(scores, default=0.0) or 1.0
    remaining = sorted((place for place, score in enumerate(scores) if score > 0), key=lambda place: -scores[place])
    nearest = dict.fromkeys(remaining, 0.0)
    chosen: list[int] = []
    while remaining and len(chosen) < count:
        pick = max(remaining, key=lambda place: (1 - NOVELTY) * scores[place] / best - NOVELTY * nearest[place])
        chosen.append(pick)
        for place, likeness in ranked.graph[pick].items():
            nearest[place] = max(nearest.get(place, 0.0), likeness)
        remaining = [place for place in remaining if place != pick and nearest[place] < SAME]
    return chosen


def _replicate(ranked: _Ranked, chosen: list[int], count: int, progress: Progress) -> dict[int, float]:
    generator = random.Random(SEED)  # noqa: S311  a fixed seed, so that the same text gives the same digest
    seen = dict.fromkeys(chosen, 0)
    again = dict.fromkeys(chosen, 0)
    replicas = min(max(REPLICA_WORK // max(len(ranked.numbers), 1), FEWEST_REPLICAS), MOST_REPLICAS)
    for replica in range(replicas):
        kept = [generator.random() >= LEFT_OUT for _ in ranked.numbers]
        picked = set(_select(ranked, ranked.scores(kept), count))
        for place in chosen:
            if kept[place]:
                seen[place] += 1
                again[place] += place in picked
        progress(replica + 1, replicas, "replicas of the ranking, each without a quarter of the text")
    return {place: again[place] / seen[place] if seen[place] else 0.0 for place in chosen}
