"""Which language a text is written in."""

import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass

from .stopwords import LANGUAGES, STOPWORDS
from .words import WORD

SAMPLE = 60_000  # characters that are looked at: more does not change the answer
_SCRIPTS = {"GREEK": "el", "HEBREW": "he", "ARABIC": "ar", "DEVANAGARI": "hi", "THAI": "th", "HANGUL": "ko"}
_UKRAINIAN_LETTERS = frozenset("іїєґ")


@dataclass(frozen=True, slots=True)
class Language:
    """A guess. `confidence` is between 0 (nothing to go by) and 1."""

    code: str
    name: str
    confidence: float


def guess(text: str) -> Language:
    """The language of `text`, by its script and then by its commonest words; `und` where nothing tells."""
    sample = text[:SAMPLE]
    scripts = Counter(script for char in sample if char.isalpha() and (script := _script(char)))
    if not scripts:
        return Language("und", "Undetermined", 0.0)
    script, count = scripts.most_common(1)[0]
    share = count / scripts.total()
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.05 * scripts.total():
        return _language("ja", (scripts["HIRAGANA"] + scripts["KATAKANA"] + scripts["CJK"]) / scripts.total())
    if script == "CJK":
        return _language("zh", share)
    if script in _SCRIPTS:
        return _language(_SCRIPTS[script], share)
    if script == "CYRILLIC":
        ukrainian = sum(char in _UKRAINIAN_LETTERS for char in sample.lower())
        return _language("uk" if ukrainian > count * 0.01 else "ru", share)
    return _by_words(sample)


def _by_words(sample: str) -> Language:
    counts = Counter(word.lower().replace("’", "'") for word in WORD.findall(sample))
    total = counts.total()
    scores: dict[str, float] = defaultdict(float)
    for word, count in counts.items():
        speaking = [language for language, known in STOPWORDS.items() if word in known]
        for language in speaking:
            scores[language] += count / len(speaking)
    if not scores:
        return Language("und", "Undetermined", 0.0)
    (best, score), *rest = sorted(scores.items(), key=lambda pair: -pair[1])
    second = rest[0][1] if rest else 0.0
    # A third of the words of running text are grammar; a list of names has none of them.
    evidence = min(score / total / 0.2, 1.0) * min(total / 12, 1.0)
    confidence = evidence * (score - second) / score
    if confidence < 0.05:
        return Language("und", "Undetermined", round(confidence, 2))
    return _language(best, confidence)


def _language(code: str, confidence: float) -> Language:
    return Language(code, LANGUAGES[code], round(min(confidence, 1.0), 2))


def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]
