"""How hard a text is to read, by the published formulas."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .sentences import Sentence
from .words import words

_VOWELS = {
    "en": "aeiouy",
    "de": "aeiouyäöü",
    "fr": "aeiouyàâäéèêëîïôöùûüœæ",
    "es": "aeiouáéíóúü",
    "it": "aeiouàèéìòù",
}
_ADDED = re.compile(r"(?:i[ao](?!n)|(?<!q)u[aeo](?!$)|crea|ea$|eo(?!n)|ism$|[^aeiouy]le[sd]?$|[^aeiouy]ier$)")
_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|being)\s+(?:\w+ly\s+)?(?:\w{2,}ed|built|bought|brought|caught|chosen|done|drawn|driven|"
    r"found|given|held|hidden|kept|known|laid|left|lost|made|meant|met|paid|put|read|said|seen|sent|set|shown|shut|"
    r"sold|spent|taken|taught|told|thought|thrown|understood|won|written)\b",
    re.IGNORECASE,
)
_HARDEST = 3
_LONG = 25  # words from which a sentence is worth splitting


@dataclass(frozen=True, slots=True)
class Measure:
    """One formula's value."""

    measure: str
    value: float
    meaning: str


@dataclass(frozen=True, slots=True)
class LongSentence:
    """A sentence that a reader would thank you for splitting."""

    sentence: str
    words: int


@dataclass(frozen=True, slots=True)
class Readability:
    """`ease` runs from 0 (hard) to 100 (easy), `grade` is in years of schooling; None where no formula is known."""

    level: str
    ease: float | None
    grade: float | None
    average_sentence_words: float
    long_word_share: float
    passive_share: float | None
    measures: list[Measure]
    long_sentences: list[LongSentence]


def measure(sentences: Sequence[Sentence], language: str) -> Readability:
    """Flesch's formula in the version of the language, the grade formulas for English, and LIX for every language."""
    running = [sentence for sentence in sentences if not sentence.is_heading] or list(sentences)
    counted = [(sentence.text, words(sentence.text)) for sentence in running]
    counted = [(text, found) for text, found in counted if found]
    total = sum(len(found) for _, found in counted)
    if not total:
        return Readability("nothing to read", None, None, 0.0, 0.0, None, [], [])
    every = [word for _, found in counted for word in found]
    per_sentence = total / len(counted)
    long_share = sum(len(word) > 6 for word in every) / total
    lix = per_sentence + 100 * long_share
    measures = [Measure("LIX", round(lix, 1), _lix_meaning(lix))]
    ease = _ease(every, per_sentence, language)
    grade = None
    if ease is not None:
        measures.insert(0, Measure("Flesch reading ease", round(ease, 1), _ease_meaning(ease)))
    if language == "en":
        grades = _grades(every, len(counted))
        grade = round(median(one.value for one in grades), 1)
        measures[1:1] = grades
    passive = None
    if language == "en":
        passive = round(sum(bool(_PASSIVE.search(text)) for text, _ in counted) / len(counted), 3)
    longest = sorted(counted, key=lambda pair: -len(pair[1]))[:_HARDEST]
    return Readability(
        level=_ease_meaning(ease) if ease is not None else _lix_meaning(lix),
        ease=None if ease is None else round(ease, 1),
        grade=grade,
        average_sentence_words=round(per_sentence, 1),
        long_word_share=round(long_share, 3),
        passive_share=passive,
        measures=measures,
        long_sentences=[LongSentence(text, len(found)) for text, found in longest if len(found) >= _LONG],
    )


def syllables(word: str, language: str = "en") -> int:
    """The syllables of a word, counted by its groups of vowels; within one of the dictionary for nearly all words."""
    word = word.lower()
    vowels = _VOWELS.get(language, _VOWELS["en"])
    groups = len(re.findall(f"[{vowels}]+", word))
    if language == "en":
        groups += len(_ADDED.findall(word))
        if (
            re.search(r"[^aeiouy]e$", word)
            or re.search(r"[^aeiouytd]ed$", word)
            or re.search(r"[^aeiouysxzcg]es$", word)
        ):
            groups -= 1
    elif language == "fr" and re.search(r"[^aeiouéè](?:e|es|ent)$", word) and groups > 1:
        groups -= 1
    return max(groups, 1)


def _ease(every: list[str], per_sentence: float, language: str) -> float | None:
    if language not in _VOWELS:
        return None
    per_word = sum(syllables(word, language) for word in every) / len(every)
    value = {
        "en": 206.835 - 1.015 * per_sentence - 84.6 * per_word,  # Flesch, 1948
        "de": 180.0 - per_sentence - 58.5 * per_word,  # Amstad, 1978
        "fr": 207.0 - 1.015 * per_sentence - 73.6 * per_word,  # Kandel and Moles, 1958
        "es": 206.84 - 1.02 * per_sentence - 60.0 * per_word,  # Fernández Huerta, 1959
        "it": 217.0 - 1.3 * per_sentence - 60.0 * per_word,  # Franchina and Vacca, 1986
    }[language]
    return min(max(value, 0.0), 100.0)


def _grades(every: list[str], sentence_count: int) -> list[Measure]:
    total = len(every)
    per_sentence = total / sentence_count
    counts = [syllables(word) for word in every]
    per_word = sum(counts) / total
    polysyllables = sum(count >= 3 for count in counts)
    letters = sum(len(word) for word in every)
    values = {
        "Flesch-Kincaid grade": 0.39 * per_sentence + 11.8 * per_word - 15.59,
        "Gunning fog": 0.4 * (per_sentence + 100 * polysyllables / total),
        "SMOG": 1.043 * (polysyllables * 30 / sentence_count) ** 0.5 + 3.1291,
        "Coleman-Liau": 5.88 * letters / total - 29.6 * sentence_count / total - 15.8,
        "Automated readability index": 4.71 * letters / total + 0.5 * per_sentence - 21.43,
    }
    return [Measure(name, round(max(value, 0.0), 1), "years of schooling") for name, value in values.items()]


def _ease_meaning(ease: float) -> str:
    for least, meaning in ((80, "easy"), (60, "plain"), (50, "fairly difficult"), (30, "difficult")):
        if ease >= least:
            return meaning
    return "very difficult"


def _lix_meaning(lix: float) -> str:
    for most, meaning in ((30, "easy"), (40, "plain"), (50, "fairly difficult"), (60, "difficult")):
        if lix <= most:
            return meaning
    return "very difficult"
