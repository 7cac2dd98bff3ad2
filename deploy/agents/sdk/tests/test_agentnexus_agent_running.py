"""Each agent here is a real program: a file run by a fresh interpreter, with JSON on its stdin."""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import IO, Any

import pytest

SDK = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SDK)}

Completed = subprocess.CompletedProcess[bytes]


class Program:
    """An agent's source on disk."""

    def __init__(self, folder: Path, source: str) -> None:
        self.path = folder / "program.py"
        head = "from agentnexus_agent import AgentError, agent, log\n"
        self.path.write_text(head + textwrap.dedent(source), encoding="utf-8")

    def run(self, stdin: bytes | str | dict[str, Any] | list[Any], **environment: str) -> Completed:
        raw = stdin if isinstance(stdin, bytes) else (stdin if isinstance(stdin, str) else json.dumps(stdin)).encode()
        return subprocess.run(
            [sys.executable, str(self.path)],
            input=raw,
            capture_output=True,
            timeout=30,
            check=False,
            env={**ENVIRONMENT, **environment},
        )


def result(completed: Completed) -> Any:
    assert completed.returncode == 0, completed.stderr.decode()
    return json.loads(completed.stdout.splitlines()[-1])


def test_members_of_the_input_become_keyword_arguments(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        """
        @agent
        def shout(text: str, times: int = 1) -> dict[str, str]:
            return {"text": text.upper() * times}
        """,
    )

    assert result(program.run({"text": "hey", "times": 2})) == {"text": "HEYHEY"}
    assert result(program.run({"text": "hey"})) == {"text": "HEY"}


@pytest.mark.parametrize("parameters", ["input", "document, /", "anything, /"])
def test_a_single_input_parameter_takes_the_whole_document(tmp_path: Path, parameters: str) -> None:
    name = parameters.split(",")[0]
    program = Program(tmp_path, f"@agent\ndef echo({parameters}):\n    return [{name}]\n")

    assert result(program.run({"input": 1, "b": [None]})) == [{"input": 1, "b": [None]}]
    assert result(program.run([1, 2])) == [[1, 2]]
    assert result(program.run("null")) == [None]


def test_a_single_parameter_of_another_name_is_a_member(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef length(text):\n    return len(text)\n")

    assert result(program.run({"text": "four"})) == 4


def test_keyword_collector_accepts_any_member(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef echo(a, **rest):\n    return rest\n")

    assert result(program.run({"a": 1, "b": 2, "c": 3})) == {"b": 2, "c": 3}


def test_coroutine_functions_are_awaited(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        """
        import asyncio

        @agent
        async def later(text):
            await asyncio.sleep(0)
            return text
        """,
    )

    assert result(program.run({"text": "x"})) == "x"


def test_dataclasses_tuples_and_unicode_are_carried(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        """
        from dataclasses import dataclass

        @dataclass(frozen=True, slots=True)
        class Point:
            x: int
            label: str

        @agent
        def points(input):
            return {"all": (Point(1, "é"), Point(2, "\\U0001F600")), "none": None}
        """,
    )

    completed = program.run({})

    assert completed.stdout == '{"all":[{"x":1,"label":"é"},{"x":2,"label":"😀"}],"none":null}\n'.encode()


def test_lone_surrogates_become_the_replacement_character(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef echo(text):\n    log(text)\n    return text\n")

    completed = program.run(b'{"text": "a\\ud800b \\ud83d\\ude00"}')

    assert result(completed) == "a\ufffdb 😀"
    assert completed.stderr.decode() == "a\\ud800b 😀\n"


def test_prints_libraries_and_children_never_touch_the_result(tmp_path: Path) -> None:
    # given an agent that writes to stdout in every way there is, also after the result
    program = Program(
        tmp_path,
        """
        import atexit, os, subprocess, sys, threading

        @agent
        def noisy(input):
            print("printed")
            print('{"not": "the result"}')
            sys.stdout.write("no line end")
            os.write(1, b"descriptor\\n")
            subprocess.run([sys.executable, "-c", "print('child')"], check=True)
            atexit.register(lambda: print("42"))
            atexit.register(lambda: os.write(1, b"43\\n"))
            return {"the": "result"}
        """,
    )

    # when it runs
    completed = program.run({})

    # then stdout is the result alone, and the rest is in the log
    assert completed.stdout == b'{"the":"result"}\n'
    log_text = completed.stderr.decode()
    for piece in ("printed\n", '{"not": "the result"}\n', "no line end", "descriptor\n", "child\n", "42\n", "43\n"):
        assert piece in log_text


def test_what_is_printed_before_the_agent_starts_stays_in_front_of_the_result(tmp_path: Path) -> None:
    program = Program(tmp_path, "print('loading')\n@agent\ndef one(input):\n    return 1\n")

    assert program.run({}).stdout == b"loading\n1\n"


def test_log_lines_arrive_while_the_agent_runs(tmp_path: Path) -> None:
    # given an agent that logs and prints, then waits until the file `go` appears
    program = Program(
        tmp_path,
        """
        import pathlib, time

        @agent
        def patient(go):
            log("first", 1)
            print("second")
            while not pathlib.Path(go).exists():
                time.sleep(0.005)
            return "done"
        """,
    )
    go = tmp_path / "go"
    process = subprocess.Popen(
        [sys.executable, str(program.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(json.dumps({"go": str(go)}).encode())
    process.stdin.close()

    # when it is still waiting
    lines = [_line(process.stderr), _line(process.stderr)]
    still_running = process.poll() is None
    go.touch()

    # then both lines were already there
    assert lines == [b"first 1\n", b"second\n"]
    assert still_running
    assert process.stdout.read() == b'"done"\n'
    assert process.wait(timeout=10) == 0
    process.stdout.close()
    process.stderr.close()


def _line(stream: IO[bytes]) -> bytes:
    started = time.monotonic()
    line = stream.readline()
    assert time.monotonic() - started < 10
    return line


@pytest.mark.parametrize(
    ("stdin", "sentence"),
    [
        (b"", "No input arrived: the agent expects one JSON document on stdin."),
        (b" \n ", "No input arrived: the agent expects one JSON document on stdin."),
        (b"{", "The input is not JSON: Expecting property name enclosed in double quotes at line 1, column 2."),
        (b'{"a": 1}\n{}', "The input is not JSON: Extra data at line 2, column 1."),
        (b"\xff{}", "The input is not UTF-8: byte 0 is 0xff."),
        (b'{"a": NaN}', "The input is not JSON: NaN is not a JSON number."),
        (b"[-Infinity]", "The input is not JSON: -Infinity is not a JSON number."),
        (b"[" * 100_000, "The input is nested too deeply."),
    ],
)
def test_input_that_is_not_json_is_refused(tmp_path: Path, stdin: bytes, sentence: str) -> None:
    program = Program(tmp_path, "@agent\ndef echo(input):\n    return input\n")

    completed = program.run(stdin)

    assert (completed.returncode, completed.stdout) == (2, b"")
    assert completed.stderr.decode() == f"error: {sentence}\n"


def test_a_number_with_too_many_digits_is_refused(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef echo(input):\n    return input\n")

    completed = program.run(b"1" * 5000)

    assert (completed.returncode, completed.stdout) == (2, b"")
    assert completed.stderr.startswith(b"error: The input cannot be read: ")


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef echo(input):\n    return input\n")

    assert result(program.run(b"\xef\xbb\xbf[1]")) == [1]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "field 'text' is missing. This agent takes: text, times (optional)."),
        ({"text": "a", "tims": 2}, "field 'tims' is not known. This agent takes: text, times (optional)."),
        ({"b": 1, "a": 1}, "field 'text' is missing; field 'a' is not known; field 'b' is not known. "),
    ],
)
def test_members_that_do_not_fit_are_named(tmp_path: Path, document: dict[str, Any], sentence: str) -> None:
    program = Program(tmp_path, "@agent\ndef shout(text, times=1):\n    return text * times\n")

    completed = program.run(document)

    assert (completed.returncode, completed.stdout) == (2, b"")
    assert f"error: The input does not fit: {sentence}" in completed.stderr.decode()


@pytest.mark.parametrize(
    ("document", "kind"),
    [("null", "null"), ("true", "a boolean"), ("1.5", "a number"), ('"x"', "a string"), ("[]", "an array")],
)
def test_keyword_agents_need_an_object(tmp_path: Path, document: str, kind: str) -> None:
    program = Program(tmp_path, "@agent\ndef shout(text):\n    return text\n")

    completed = program.run(document)

    assert completed.returncode == 2
    assert completed.stderr.decode() == f"error: The input must be a JSON object, not {kind}.\n"


def test_an_exception_shows_the_agents_own_frames(tmp_path: Path) -> None:
    program = Program(
        tmp_path,
        """
        def divide(a):
            return a / 0

        @agent
        def broken(a):
            return divide(a)
        """,
    )

    completed = program.run({"a": 1})

    text = completed.stderr.decode()
    assert (completed.returncode, completed.stdout) == (1, b"")
    assert text.startswith("Traceback (most recent call last):\n")
    assert "in broken" in text
    assert "in divide" in text
    assert text.endswith("ZeroDivisionError: division by zero\n")
    assert "agentnexus_agent" not in text


def test_an_exception_in_a_coroutine_shows_the_agents_own_frames(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\nasync def broken(input):\n    raise KeyError('x')\n")

    completed = program.run({})

    text = completed.stderr.decode()
    assert (completed.returncode, completed.stdout) == (1, b"")
    assert text.endswith("KeyError: 'x'\n")
    assert text.count("  File ") == 1


def test_a_name_defined_below_the_agent_is_explained(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef early(input):\n    return below()\ndef below():\n    return 1\n")

    completed = program.run({})

    assert completed.returncode == 1
    assert completed.stderr.decode().endswith("@agent runs at once, so put it last.\n")


def test_agent_error_shows_its_sentence_only(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef picky(input):\n    raise AgentError('The CSV has no rows.')\n")

    completed = program.run({})

    assert (completed.returncode, completed.stdout) == (1, b"")
    assert completed.stderr.decode() == "error: The CSV has no rows.\n"


@pytest.mark.parametrize(("statement", "code"), [("sys.exit(7)", 7), ("sys.exit()", 0), ("sys.exit('no')", 1)])
def test_an_agent_that_exits_by_itself_keeps_its_code(tmp_path: Path, statement: str, code: int) -> None:
    program = Program(tmp_path, f"import sys\n@agent\ndef leaving(input):\n    {statement}\n")

    completed = program.run({})

    assert (completed.returncode, completed.stdout) == (code, b"")


def test_memory_errors_are_said_in_a_sentence(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef greedy(input):\n    return bytearray(1 << 62)\n")

    completed = program.run({})

    assert (completed.returncode, completed.stderr) == (1, b"error: The agent ran out of memory.\n")


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("float('nan')", "it is nan, which JSON has no number for"),
        ("{'rows': [{'a/b': 1}, {'a/b': float('inf')}]}", "/rows/1/a~1b is inf, which JSON has no number for"),
        ("{'x': (1, {2, 3})}", "/x/1 is of type set, which JSON cannot carry"),
        ("{'x': b'raw'}", "/x is of type bytes, which JSON cannot carry"),
        ("{'x': {(1, 2): 3}}", "/x has a key of type tuple; keys must be strings"),
        ("echo", "it is of type function, which JSON cannot carry"),
    ],
)
def test_a_result_json_cannot_carry_is_named_by_its_place(tmp_path: Path, expression: str, sentence: str) -> None:
    program = Program(tmp_path, f"def echo():\n    pass\n@agent\ndef wrong(input):\n    return {expression}\n")

    completed = program.run({})

    assert (completed.returncode, completed.stdout) == (3, b"")
    assert completed.stderr.decode() == f"error: The result cannot be written as JSON: {sentence}.\n"


def test_a_result_that_contains_itself_is_refused(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef wrong(input):\n    a = []\n    a.append(a)\n    return a\n")

    completed = program.run({})

    assert (completed.returncode, completed.stdout) == (3, b"")
    assert b"nested too deeply, or contains itself" in completed.stderr


def test_a_megabyte_in_and_out(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef echo(text):\n    return text\n")
    text = "ä" * 1_000_000

    assert result(program.run({"text": text})) == text


def test_an_ascii_locale_changes_nothing(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef echo(text):\n    print(text)\n    log(text)\n    return text\n")

    completed = program.run({"text": "né"}, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert completed.stdout == '"né"\n'.encode()
    assert completed.stderr == b"n\\xe9\nn\\xe9\n"


def test_stdout_may_be_a_file_while_stderr_is_a_pipe(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef echo(text):\n    print('seen')\n    return text\n")
    target = tmp_path / "result.json"

    with target.open("wb") as stdout:
        completed = subprocess.run(
            [sys.executable, str(program.path)],
            input=b'{"text": "x"}',
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
            env=ENVIRONMENT,
        )

    assert (completed.returncode, completed.stderr, target.read_bytes()) == (0, b"seen\n", b'"x"\n')


def test_a_closed_stdout_ends_the_run_without_traceback(tmp_path: Path) -> None:
    program = Program(tmp_path, "@agent\ndef echo(input):\n    return 'x' * 10\n")
    read_end, write_end = os.pipe()
    os.close(read_end)

    completed = subprocess.run(
        [sys.executable, str(program.path)],
        input=b"{}",
        stdout=write_end,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
        env=ENVIRONMENT,
    )
    os.close(write_end)

    assert completed.returncode == 1
    assert completed.stderr == b"error: Nobody reads the result any more.\n"


def test_an_imported_agent_is_a_plain_function() -> None:
    from agentnexus_agent import agent

    @agent
    def double(n: int) -> int:
        return 2 * n

    assert double(21) == 42
