"""Words of a text, and the terms by which sentences are compared."""

import re

# A word may hold apostrophes and hyphens inside; Chinese, Japanese and Thai are written without spaces.
WORD = re.compile(r"[^\W\d_]+(?:['’‑-][^\W\d_]+)*")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
# Endings from the longest to the shortest: rough, but alike for all forms of most words.
_ENDINGS = {
    "en": "ations ation ingly ments ment ness ings edly ing ies ied ers es ed er ly s e y",
    "de": "ungen heiten keiten ung heit keit lich isch ern em en er es e n s",
    "fr": "issements issement ements ement ations ation euses euse eurs eur ées és ée es er ez é e s x",
    "es": "amientos amiento aciones ación mente adas ados ada ado ando es as os ar er ir a o e s",
    "it": "azioni azione mente ando endo are ere ire ato ata ati ate i e o a",
    "pt": "amentos amento ações ação mente ando ados adas ado ada ar er ir os as es a o e s",
    "nl": "heden ingen ing heid lijk en er es e s",
}
_SUFFIXES = {language: tuple(endings.split()) for language, endings in _ENDINGS.items()}
_SHORTEST_STEM = 4


def words(text: str) -> list[str]:
    """The words as written, without numbers. A run of an unspaced script counts as one word per character."""
    found: list[str] = []
    for word in WORD.findall(text):
        if _UNSPACED.fullmatch(word):
            found.extend(word)
        else:
            found.append(word)
    return found


def stem(word: str, language: str) -> str:
    """The word in lower case without its longest known ending, so that `contracts` meets `contract`."""
    word = word.lower().replace("’", "'")
    if language == "en" and word.endswith("'s"):
        word = word[:-2]
    for suffix in _SUFFIXES.get(language, ()):
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM and not word.endswith("ss"):
            return word[: -len(suffix)]
    return word


def terms(text: str, language: str, ignored: frozenset[str]) -> list[str]:
    """What the text is about: stems of its words without `ignored`; pairs of characters in unspaced scripts."""
    found: list[str] = []
    for word in WORD.findall(text):
        if _UNSPACED.fullmatch(word):
            found.extend(word[i : i + 2] for i in range(max(len(word) - 1, 1)))
        elif len(word) > 1 and (lower := word.lower().replace("’", "'")) not in ignored:
            found.append(stem(lower, language))
    return found
