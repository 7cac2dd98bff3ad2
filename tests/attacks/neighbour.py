"""How much slower an honest agent runs beside hostile ones."""

import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.attacks.attack import Attack, Seen
from tests.executions.images import python, script

if TYPE_CHECKING:
    from tests.attacks.arena import Arena

SAMPLES = 5
# Works for about two seconds of its half processor and tells how long that took.
HONEST = Attack(
    "honest neighbour",
    "runs as if alone",
    ("succeeded",),
    python(
        "import hashlib, json, time; t = time.monotonic(); x = b'x' * 65536\n"
        "for _ in range(9000): hashlib.sha256(x).digest()\n"
        "print(json.dumps(time.monotonic() - t))"
    ),
    limits={"timeout": 60},
)
HOSTILE = {
    "four processes that burn the processor": python(
        "import os\nfor _ in range(2): os.fork()\nwhile True: pass",
    ),
    "forks without end": script("b() { b | b & }; while true; do b; sleep 0.01; done"),
    "memory filled again and again": python("while True:\n x = bytearray(80 << 20)\n del x"),
    "output without end": script("exec yes x"),
}


def measure(arena: "Arena", allowed: float) -> Iterator[tuple[str, str | None]]:
    """(what, complaint) for each kind of hostile neighbour: the honest one's median time beside its median alone."""
    for name, program in HOSTILE.items():
        hostile = Attack(name, "", ("timed_out",), program, limits={"timeout": 6, "written": 1 << 40})
        alone, beside = [], []
        for _ in range(SAMPLES):  # by turns, so that the machine's other work touches both alike
            alone.append(_honest(arena))
            with ThreadPoolExecutor(1) as pool:
                running = pool.submit(arena.carry_out, hostile)
                beside.append(_honest(arena))
                running.result()
        ratio = statistics.median(beside) / statistics.median(alone)
        text = f"a neighbour beside {name}: {ratio:.2f} x"
        yield text, f"slower than {allowed:.2f} x" if ratio > allowed else None


def _honest(arena: "Arena") -> float:
    """Seconds the honest one took, by its own clock."""
    taken: list[float] = []

    def keep(seen: Seen) -> None:
        taken.append(seen.result)

    result = arena.carry_out(replace(HONEST, check=keep))
    if result.complaint:
        raise AssertionError(result.complaint)
    return taken[0]
