"""Cutting a text into paragraphs and sentences."""

import re
from dataclasses import dataclass

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
_SPEAKER = re.compile(r"^\s*(?:\[?\d{1,2}:\d{2}(?::\d{2})?\]?\s*)?[^\W\d_][\w.'’-]*(?: [\w.'’-]+){0,3}:\s+\S")
_RULE = re.compile(r"^\s*([-=*_~]\s*){3,}$")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`paragraph` counts from 0; `place` is the sentence's place in its paragraph, from 0."""

    text: str
    paragraph: int
    place: int
    is_heading: bool = False


def split(text: str) -> list[Sentence]:
    """The sentences of `text` in order. Headings and list items stand alone; wrapped lines are joined."""
    sentences: list[Sentence] = []
    for number, (block, is_heading) in enumerate(_blocks(text)):
        pieces = [block] if is_heading else _split_block(block)
        for place, piece in enumerate(piece for piece in pieces if any(char.isalnum() for char in piece)):
            sentences.append(Sentence(piece, number, place, is_heading))
    return sentences


def _blocks(text: str) -> list[tuple[str, bool]]:
    """Paragraphs, list items and headings, the latter marked."""
    blocks: list[tuple[str, bool]] = []
    gathered: list[str] = []

    def close(next_is_blank: bool) -> None:
        if not gathered:
            return
        joined = _SPACE.sub(" ", " ".join(gathered)).strip()
        blocks.append((joined, len(gathered) == 1 and next_is_blank and _looks_like_heading(joined)))
        gathered.clear()

    for line in text.splitlines():
        if (match := _HEADING.match(line)) and match[1]:
            close(next_is_blank=False)
            blocks.append((_SPACE.sub(" ", match[1]), True))
        elif not line.strip() or _RULE.match(line):
            close(next_is_blank=True)
        elif _SPEAKER.match(line):
            close(next_is_blank=False)
            gathered.append(line)
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
    following = block[match.end() :].lstrip()[:1]
    if following.islower():
        return False
    word = block[start : match.start()].rsplit(maxsplit=1)[-1:] or [""]
    last = word[0].lstrip("\"'“‘«([").lower()
    if mark.startswith("..") or last == "":
        return True
    is_initial = len(last) == 1 and last.isalpha() and last not in "i"
    return not (last in _ABBREVIATIONS or is_initial or (last.isdigit() and len(last) <= 2 and start == match.start()))


def _cut(piece: str) -> list[str]:
    parts = piece.split(" ")
    if len(parts) <= LONGEST:
        return [piece] if len(piece) <= LONGEST * 20 else [piece[i : i + 2000] for i in range(0, len(piece), 2000)]
    return [" ".join(parts[i : i + LONGEST]) for i in range(0, len(parts), LONGEST)]
