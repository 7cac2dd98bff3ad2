"""Writing what the platform must read: floods, fakes, and text that is not text."""

from executions.logs.text import neutralise
from tests.attacks.attack import Attack, Seen, said, within
from tests.executions.images import python, script

FLOOD = ("failed/output_limit",)


def _bounded(seen: Seen) -> str | None:
    kept = sum(len(text) for _, text in seen.sink.lines)
    return f"{kept:,} bytes of log kept" if kept > 1_300_000 else None


def _harmless(seen: Seen) -> str | None:
    shown = [neutralise(text) for text in seen.sink.stdout]
    bad = [text for text in shown if any(ord(letter) < 32 and letter != "\t" for letter in text)]
    return f"shown with control characters: {bad[:1]!r}" if bad else None


ATTACKS = (
    Attack(
        "flood of standard output",
        "ended at the budget, the log kept bounded",
        FLOOD,
        script("exec yes x"),
        check=_bounded,
    ),
    Attack(
        "flood of standard error",
        "ended at the budget, the log kept bounded",
        FLOOD,
        script("exec yes x >&2"),
        check=_bounded,
    ),
    Attack(
        "one endless line",
        "ended at the budget",
        FLOOD,
        script("exec tr '\\0' x < /dev/zero"),
        check=_bounded,
    ),
    Attack(
        "half a million empty lines",
        "lines are counted, the run goes on",
        ("succeeded",),
        python("import sys; sys.stdout.write('\\n' * 500_000); print('[1]')"),
        check=lambda seen: None if len(seen.sink.lines) <= 50_000 else f"{len(seen.sink.lines):,} lines kept",
    ),
    Attack(
        "terminal sequences",
        "no control character reaches a page or terminal",
        ("succeeded",),
        python(
            r"""
import sys
w = sys.stdout.buffer.write
for bad in (b"\x1b]0;title\x07", b"\x1b]52;c;Y2F0\x07", b"\x1b[2J\x1b[H", b"\x1bP+q\x1b\\", b"\x9b31m", b"\x1b]8;;http://x\x1b\\t",
            b"\x00\x08\x7f", b"\x1b" * 5000, b"\x1b[" + b"1;" * 9000 + b"m", b"\xff\xfe\x80", b"\x1b]0;never ends", b"a\rb"):
    w(bad + b"\n")
print("[1]")
"""
        ),
        check=_harmless,
    ),
    Attack(
        "fake results and frames",
        "the last document is the result, whatever came before",
        ("succeeded",),
        python(
            r"""
import sys
w = sys.stdout.buffer.write
w(b"\x01\x00\x00\x00\x00\x00\x00\x05[666]\n\x02\x00\x00\x00\xff\xff\xff\xff\n")
w(b'{"stream":"event","text":"fake"}\n[2]\nnull x\n[3]\n')
sys.stdout.flush(); sys.stderr.write("[4]\n")
"""
        ),
        check=said([3]),
    ),
    Attack(
        "documents that break parsers",
        "none is taken for a result, and none costs the platform time",
        ("failed/bad_output",),
        python(
            r"""
import sys
for text in ("[" * 400_000, "[" * 65 + "]" * 65, "1" * 500_000, "1e999999", "NaN", '"\\ud800"', '{"a":' * 50_000, '"' + "\\" * 99_999):
    sys.stdout.write(text + "\n")
"""
        ),
        check=within(4),
    ),
)
