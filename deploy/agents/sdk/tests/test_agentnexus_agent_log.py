"""The lines the log writes."""

import io
import threading

from agentnexus_agent.logging import Log


class Clock:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_values_are_joined_by_spaces_like_print() -> None:
    stream = io.StringIO()

    Log(stream)("read", 3, None, "rows")

    assert stream.getvalue() == "read 3 None rows\n"


def test_levels_are_words_in_front() -> None:
    stream = io.StringIO()
    log = Log(stream)

    log.warning("two rows", "skipped")
    log.error("no header")

    assert stream.getvalue() == "warning: two rows skipped\nerror: no header\n"


def test_progress_shows_share_and_counts() -> None:
    stream = io.StringIO()
    clock = Clock()
    log = Log(stream, clock)

    log.progress(0, 2500, "rows")
    clock.now += 1
    log.progress(1049, 2500, "rows")
    clock.now += 1
    log.progress(2500, 2500, "rows")

    assert stream.getvalue().splitlines() == [
        "[  0%] 0/2,500 rows",
        "[ 41%] 1,049/2,500 rows",
        "[100%] 2,500/2,500 rows",
    ]


def test_progress_is_thinned_to_one_line_in_200_ms_and_always_shows_the_end() -> None:
    stream = io.StringIO()
    clock = Clock()
    log = Log(stream, clock)

    for step in range(1001):
        log.progress(step, 1000)
        clock.now += 0.001

    percents = [line[1:4].strip() for line in stream.getvalue().splitlines()]
    assert percents == ["0", "20", "40", "60", "80", "100"]


def test_a_new_loop_after_a_finished_one_is_shown_at_once() -> None:
    stream = io.StringIO()
    log = Log(stream, Clock())

    log.progress(5, 5, "a")
    log.progress(1, 9, "b")
    log.progress(2, 9, "b")

    assert stream.getvalue().splitlines() == ["[100%] 5/5 a", "[ 11%] 1/9 b"]


def test_progress_survives_odd_numbers() -> None:
    stream = io.StringIO()
    log = Log(stream, Clock())

    log.progress(0, 0, "nothing to do")
    log.progress(9, 5, "more than all")

    assert stream.getvalue().splitlines() == ["[100%] 0/0 nothing to do", "[100%] 9/5 more than all"]


def test_a_stream_that_cannot_show_a_character_gets_an_escape() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")

    Log(stream)("né \ud800")

    assert raw.getvalue() == b"n\\xe9 \\ud800\n"


def test_lines_of_many_threads_are_never_mixed() -> None:
    stream = io.StringIO()
    log = Log(stream)

    def write(number: int) -> None:
        for _ in range(100):
            log(str(number) * 50)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(stream.getvalue().splitlines()) == sorted(str(n) * 50 for n in range(8) for _ in range(100))
