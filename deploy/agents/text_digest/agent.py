"""The agent: reads a text, says what it says."""

from dataclasses import asdict
from typing import Any

from agentnexus_agent import AgentError, agent, log

from . import findings, readability
from .languages import Language, guess
from .phrases import Phrase, key_phrases
from .report import write
from .sentences import Sentence, split
from .stopwords import LANGUAGES
from .summary import summarise
from .words import words


def digest(
    text: str,
    sentences: int = 5,
    key_phrase_count: int = 12,
    focus: str = "",
    language: str = "auto",
    words_per_minute: int = 238,
) -> dict[str, Any]:
    """The digest of `text` as the output schema has it. Raises AgentError where there is nothing to read."""
    text = text.replace("\x00", "").replace("\ufeff", "")
    pieces = split(text)
    count = sum(len(words(piece.text)) for piece in pieces)
    if not count:
        raise AgentError("The text holds no words, so there is nothing to digest.")
    paragraphs = pieces[-1].paragraph + 1
    log(f"Read {len(text):,} characters: {count:,} words, {len(pieces):,} sentences, {paragraphs:,} paragraphs")

    spoken = guess(text) if language == "auto" else Language(language, LANGUAGES[language], 1.0)
    log(
        f"Language: {spoken.name} (confidence {spoken.confidence:.0%})" + (" as you said" if language != "auto" else "")
    )

    log(f"Ranking sentences by what they share{f', with an eye on “{focus}”' if focus else ''}")
    chosen = summarise(pieces, spoken.code, sentences, focus, log.progress)
    steady = sum(one.confidence for one in chosen) / len(chosen)
    log(f"Chose {len(chosen)} sentences; on average each is chosen again in {steady:.0%} of the replicas")

    names = findings.names(pieces, spoken.code)
    phrases = _key_phrases(pieces, spoken.code, key_phrase_count, {name.name for name in names})
    some = ", ".join(phrase.phrase for phrase in phrases[:5]) or "none"
    log(f"Key phrases: {some}{' …' if len(phrases) > 5 else ''}")

    legible = readability.measure(pieces, spoken.code)
    log(f"Readability: {legible.level}, {legible.average_sentence_words} words in a sentence")

    figures = findings.figures(pieces)
    actions = findings.actions(pieces)
    questions = findings.questions(pieces)
    log(f"Found {len(actions)} things to do, {len(questions)} questions, {len(figures)} figures, {len(names)} names")

    result = {
        "summary": " ".join(pieces[one.index].shown for one in chosen),
        "key_sentences": [
            {
                "sentence": pieces[one.index].shown,
                "number": one.index + 1,
                "score": one.score,
                "confidence": one.confidence,
            }
            for one in chosen
        ],
        "key_phrases": [asdict(phrase) for phrase in phrases],
        "actions": [asdict(action) for action in actions],
        "questions": questions,
        "figures": [asdict(figure) for figure in figures],
        "names": [asdict(name) for name in names],
        "language": asdict(spoken),
        "statistics": _statistics(
            text, pieces, count, paragraphs, words_per_minute, sum(len(words(pieces[one.index].text)) for one in chosen)
        ),
        "readability": asdict(legible),
    }
    log("Writing the report")
    return {"report": write(result), **result}


def _key_phrases(pieces: list[Sentence], language: str, count: int, names: set[str]) -> list[Phrase]:
    """The key phrases that are no names: those are listed apart."""
    found = [one for one in key_phrases(pieces, language, count + len(names)) if one.phrase not in names][:count]
    best = found[0].score if found else 1.0
    return [Phrase(one.phrase, one.count, round(one.score / best, 3)) for one in found]


def _statistics(
    text: str, pieces: list[Sentence], count: int, paragraphs: int, words_per_minute: int, kept: int
) -> dict[str, Any]:
    distinct = len({word.lower() for piece in pieces for word in words(piece.text)})
    return {
        "characters": len(text),
        "words": count,
        "distinct_words": distinct,
        "sentences": len(pieces),
        "paragraphs": paragraphs,
        "reading_minutes": round(count / words_per_minute, 1),
        "summary_share": round(kept / count, 3),
    }


@agent
def text_digest(
    text: str,
    sentences: int = 5,
    key_phrases: int = 12,
    focus: str = "",
    language: str = "auto",
    words_per_minute: int = 238,
) -> dict[str, Any]:
    """The agent's entry: its parameters are the members of the input schema."""
    return digest(text, sentences, key_phrases, focus, language, words_per_minute)
