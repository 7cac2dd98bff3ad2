"""Passing over what the log has already."""

import pytest

from executions.runners.base import Seen
from executions.runners.docker.reattach import LostTrackError, Replay
from tests.executions.runners.recording import Recorder


def test_each_stream_is_passed_over_by_itself() -> None:
    sink = Recorder()
    replay = Replay(sink, Seen(stdout=("a", "b"), stderr=("x",), events=("truncated",)))
    for source, text in (("stderr", "x"), ("stdout", "a"), ("stderr", "y"), ("stdout", "b"), ("stdout", "c")):
        replay.line(source, text, 0)
    replay.event("truncated")
    replay.event("another")
    replay.check_complete()
    assert (sink.lines, sink.events) == ([("stderr", "y"), ("stdout", "c")], ["another"])


def test_what_is_not_unicode_may_be_replaced_in_two_ways() -> None:
    sink = Recorder()
    replay = Replay(sink, Seen(stdout=("caf\N{REPLACEMENT CHARACTER}!",), stderr=(), events=()))
    replay.line("stdout", "caf\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}!", 0)
    assert sink.lines == []


def test_copy_whose_beginning_is_gone_is_noticed() -> None:
    replay = Replay(Recorder(), Seen(stdout=("a", "b"), stderr=(), events=()))
    with pytest.raises(LostTrackError):
        replay.line("stdout", "b", 0)


def test_copy_that_is_too_short_is_noticed() -> None:
    replay = Replay(Recorder(), Seen(stdout=("a", "b"), stderr=(), events=()))
    replay.line("stdout", "a", 0)
    with pytest.raises(LostTrackError):
        replay.check_complete()
