"""Cutting a text into paragraphs and sentences."""

import re
from collections import Counter
from dataclasses import dataclass

from .patterns import MONTH

LONG = 60  # words: from here a sentence is cut at its semicolons
LONGEST = 120  # words: what is longer without an end is cut, so that a text without full stops can be worked with
_ABBREVIATED = """
    mr mrs ms dr prof sr jr st rev gen sen rep gov capt lt col sgt hon inc ltd llc co corp plc dept univ assn
    bros vs etc cf al eg ie e.g i.e a.m p.m approx appt est fig figs eq sec ch vol no nos pp ed eds trans op art
    para jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun u.s u.k u.n d.c ph.d m.d
    b.a m.a z.b d.h u.a bzw usw vgl ca nr abs bd str hr fr dipl ing evtl ggf inkl zzgl mio mrd s.o s.u p.ex av
    env m mme mlle sra sto dra ud uds ej pág núm bijv blz enz dhr mevr
"""
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』”’）]*")
_LIST_ITEM = re.compile(r"^\s*(?:[-*•‣–]|\d{1,3}[.)]|[a-z][.)]|\[[ xX]\])\s+")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_SPEAKER = re.compile(
    r"^\s*(?:\[?\d{1,2}:\d{2}(?::\d{2})?\]?\s*)?(?P<label>[^\W\d_][\w.'’-]*(?: [\w.'’-]+){0,3}):\s+(?P<said>\S.*)"
)
_NO_SPEAKERS = frozenset(
    {"note", "summary", "example", "warning", "todo", "action", "question", "answer", "q", "a", "p.s"}
)
_RULE = re.compile(r"^\s*([-=*_~]\s*){3,}$")
_MONTH_NEXT = re.compile(rf"{MONTH}\b")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`paragraph` counts from 0; `place` is the sentence's place in its paragraph, from 0; `speaker` says it."""

    text: str
    paragraph: int
    place: int
    is_heading: bool = False
    speaker: str = ""

    @property
    def shown(self) -> str:
        """The sentence with who says it."""
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    is_heading: bool = False
    speaker: str = ""


def split(text: str) -> list[Sentence]:
    """The sentences of `text` in order. Headings and list items stand alone; wrapped lines are joined.

    In a conversation, where the same names open lines again and again, the names become the sentences' speakers.
    """
    sentences: list[Sentence] = []
    for number, block in enumerate(_blocks(text, _speakers(text))):
        pieces = [block.text] if block.is_heading else _split_block(block.text)
        for place, piece in enumerate(piece for piece in pieces if any(char.isalnum() for char in piece)):
            sentences.append(Sentence(piece, number, place, block.is_heading, block.speaker))
    return sentences


def _speakers(text: str) -> frozenset[str]:
    labels = Counter(match["label"] for line in text.splitlines() if (match := _SPEAKER.match(line)))
    return frozenset(label for label, count in labels.items() if count > 1 and label.lower() not in _NO_SPEAKERS)


def _blocks(text: str, speakers: frozenset[str]) -> list[_Block]:
    """Paragraphs, list items, headings and turns of a conversation."""
    blocks: list[_Block] = []
    gathered: list[str] = []
    speaker = ""

    def close(next_is_blank: bool, next_speaker: str = "") -> None:
        nonlocal speaker
        if gathered:
            joined = _SPACE.sub(" ", " ".join(gathered)).strip()
            heading = len(gathered) == 1 and next_is_blank and not speaker and _looks_like_heading(joined)
            blocks.append(_Block(joined, heading, speaker))
            gathered.clear()
        speaker = next_speaker

    for line in text.splitlines():
        if (match := _HEADING.match(line)) and match[1]:
            close(next_is_blank=False)
            blocks.append(_Block(_SPACE.sub(" ", match[1]), is_heading=True))
        elif not line.strip() or _RULE.match(line):
            close(next_is_blank=True)
        elif match := _SPEAKER.match(line):
            is_turn = match["label"] in speakers
            close(next_is_blank=False, next_speaker=match["label"] if is_turn else "")
            gathered.append(match["said"] if is_turn else line)
        elif match := _LIST_ITEM.match(line):
            close(next_is_blank=False)
            # A list item ends with its line: it must not be taken for a heading.
            gathered.extend(("", line[match.end() :]))
        else:
            gathered.append(line)
    close(next_is_blank=False)
    return blocks


def _looks_like_heading(line: str) -> bool:
    return len(line) <= 80 and len(line.split()) <= 10 and line[-1] not in ".!?…:;,。！？"


def _split_block(block: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for match in _END.finditer(block):
        if _ends_sentence(block, start, match):
            pieces.append(block[start : match.end()].strip())
            start = match.end()
    pieces.append(block[start:].strip())
    return [part for piece in pieces if piece for part in _cut(piece)]


def _ends_sentence(block: str, start: int, match: re.Match[str]) -> bool:
    mark = match[0]
    if mark[0] != ".":
        following = block[match.end() :].lstrip()[:1]
        return not following.islower()
    rest = block[match.end() :].lstrip()
    if rest[:1].islower():
        return False
    word = block[start : match.start()].rsplit(maxsplit=1)[-1:] or [""]
    last = word[0].lstrip("\"'“‘«([").lower()
    if mark.startswith("..") or last == "":
        return True
    is_initial = len(last) == 1 and last.isalpha() and last not in "i"
    # `30. Juni` goes on, and so does a number that opens the sentence, as in a list.
    is_ordinal = last.isdigit() and len(last) <= 2 and (start == match.start() or _MONTH_NEXT.match(rest) is not None)
    return not (last in _ABBREVIATIONS or is_initial or is_ordinal)


def _cut(piece: str) -> list[str]:
    """Cut what is too long to be one sentence: at semicolons, and where there are none, after so many words."""
    parts = [part.strip() for part in piece.split("; ")] if len(piece.split(" ")) > LONG else [piece]
    return [short for part in parts if part for short in _cut_hard(part)]


def _cut_hard(piece: str) -> list[str]:
    parts = piece.split(" ")
    if len(parts) <= LONGEST:
        return [piece] if len(piece) <= LONGEST * 20 else [piece[i : i + 2000] for i in range(0, len(piece), 2000)]
    return [" ".join(parts[i : i + LONGEST]) for i in range(0, len(parts), LONGEST)]
