"""What an agent writes, cut into lines, one result and marks where something was cut off."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions.runners.transcript import STDERR, STDOUT, Transcript
from tests.executions.runners.recording import LIMITS


class Kept:
    def __init__(self, **changes: int) -> None:
        self.lines: list[tuple[str, str]] = []
        self.events: list[str] = []
        self.transcript = Transcript(
            replace(LIMITS, **changes), lambda source, text, at: self.lines.append((source, text)), self.events.append
        )

    @property
    def stdout(self) -> list[str]:
        return [text for source, text in self.lines if source == STDOUT]


@pytest.mark.parametrize(
    ("written", "log", "output"),
    [
        (b'{"a":1}\n', [], b'{"a":1}'),
        (b'{"a":1}', [], b'{"a":1}'),
        (b'hello\n{"a":1}\nbye\n', ["hello", "bye"], b'{"a":1}'),
        (b'{"a":1}\n{"b":2}\n', ['{"a":1}'], b'{"b":2}'),
        (b"1\n2\n3\n", ["1", "2"], b"3"),
        (b"true story\n", ["true story"], None),
        (b"", [], None),
        (b"\n\n", ["", ""], None),
        (b'{"a":\n1}\n', ['{"a":', "1}"], None),
        (b'{"a":NaN}\n', ['{"a":NaN}'], None),
        (b'{"a":1e999}\n', ['{"a":1e999}'], None),
        (b"[" * 100_000 + b"\n", ["[" * 16_384 + " … (83,616 more bytes)"], None),
        (b"progress\r\n", ["progress"], None),
        ("snow ❄\n".encode(), ["snow ❄"], None),
        (b"bad \xff\xfe\n", ["bad ��"], None),
    ],
)
def test_last_document_line_is_the_result_and_all_others_are_log(
    written: bytes, log: list[str], output: bytes | None
) -> None:
    kept = Kept()
    kept.transcript.feed(STDOUT, written)
    assert kept.transcript.close() == output
    assert kept.stdout == log


@given(st.lists(st.binary(max_size=40), max_size=20), st.randoms())
def test_the_cut_between_chunks_changes_nothing(lines: list[bytes], random: object) -> None:
    whole = b"\n".join(lines)
    one, many = Kept(), Kept()
    one.transcript.feed(STDOUT, whole)
    rest = whole
    while rest:
        size = random.randint(1, len(rest))  # type: ignore[attr-defined]
        many.transcript.feed(STDOUT, rest[:size])
        rest = rest[size:]
    assert (many.transcript.close(), many.lines) == (one.transcript.close(), one.lines)


def test_streams_have_a_buffer_each() -> None:
    kept = Kept()
    for source, part in ((STDOUT, b"out"), (STDERR, b"err"), (STDOUT, b"side\n"), (STDERR, b"or\n")):
        kept.transcript.feed(source, part)
    assert kept.lines == [(STDOUT, "outside"), (STDERR, "error")]


def test_a_document_on_stderr_is_log() -> None:
    kept = Kept()
    kept.transcript.feed(STDERR, b'{"a":1}\n')
    assert kept.transcript.close() is None
    assert kept.lines == [(STDERR, '{"a":1}')]


def test_log_is_cut_off_with_a_mark_and_the_result_still_counts() -> None:
    kept = Kept(log=10, log_line=100)
    kept.transcript.feed(STDOUT, b'abcde\nabcde\nx\n{"a":1}\n')
    assert kept.transcript.close() == b'{"a":1}'
    assert kept.stdout == ["abcde", "abcde"]
    assert kept.events == ["The log ends here: more than 10 bytes or 50,000 lines were written. The run goes on."]


def test_number_of_lines_is_bounded_even_when_they_are_empty() -> None:
    kept = Kept(log_lines=3)
    kept.transcript.feed(STDERR, b"\n" * 10)
    assert len(kept.lines) == 3
    assert len(kept.events) == 1


def test_long_stderr_line_is_cut_with_its_size() -> None:
    kept = Kept(log_line=8)
    for _ in range(4):
        kept.transcript.feed(STDERR, b"abcdef")
    kept.transcript.feed(STDERR, b"\nnext\n")
    assert kept.lines == [(STDERR, "abcdefab … (16 more bytes)"), (STDERR, "next")]
    assert kept.transcript.overflow is None


def test_stdout_line_longer_than_a_result_may_be_ends_the_run() -> None:
    kept = Kept(output=8)
    kept.transcript.feed(STDOUT, b"x" * 9)
    assert kept.transcript.overflow == "The agent wrote a line of more than 8 bytes to its output."


def test_writing_without_end_ends_the_run() -> None:
    kept = Kept(written=100)
    kept.transcript.feed(STDERR, b"x\n" * 50)
    assert kept.transcript.overflow is None
    kept.transcript.feed(STDERR, b"\n")
    assert kept.transcript.overflow == "The agent wrote more than 100 bytes."


def test_the_result_is_found_after_the_log_is_full() -> None:
    kept = Kept(log_lines=2)
    kept.transcript.feed(STDOUT, b"a\nb\nc\n[1]\nd\n")
    kept.transcript.feed(STDOUT, b"[2]\nx\n[3")
    kept.transcript.feed(STDOUT, b"]\ny\n")
    kept.transcript.feed(STDERR, b"z\n[4]\n")
    assert (kept.stdout, len(kept.events), kept.transcript.close()) == (["a", "b"], 1, b"[3]")


@pytest.mark.parametrize("source", [STDOUT, STDERR])
def test_lines_are_counted(source: str) -> None:
    kept = Kept(written_lines=100, log_lines=10)
    kept.transcript.feed(source, b"\n" * 100)
    assert kept.transcript.overflow is None
    kept.transcript.feed(source, b"\n")
    assert kept.transcript.overflow == "The agent wrote more than 100 lines."
