"""Not ending: signals ignored, streams closed or never read, processes that outlive their parent."""

from tests.attacks.attack import Attack, said, within
from tests.executions.images import python, script

LATE = ("timed_out",)
QUICK = {"timeout": 2}

ATTACKS = (
    Attack(
        "ignores every signal",
        "killed at the deadline",
        LATE,
        python(
            "import signal, time\nfor n in set(signal.Signals) - {9, 19}: signal.signal(n, signal.SIG_IGN)\nwhile True: time.sleep(1)"
        ),
        limits=QUICK,
        check=within(7),
    ),
    Attack(
        "closes its streams and lives on",
        "killed at the deadline",
        LATE,
        python("import os, time\nfor fd in range(0, 64):\n try: os.close(fd)\n except OSError: pass\ntime.sleep(60)"),
        limits=QUICK,
        check=within(7),
    ),
    Attack(
        "stops itself",
        "killed at the deadline",
        LATE,
        script("kill -STOP 1; kill -STOP $$; sleep 60"),
        limits=QUICK,
        check=within(7),
    ),
    Attack(
        "never reads a large input",
        "the platform is not held up",
        ("succeeded",),
        {"filler": "x" * 1_500_000},
        image='CMD ["/bin/sh", "-c", "echo [1]"]\n',
        check=said([1]),
    ),
    Attack(
        "reads its input a byte at a time",
        "killed at the deadline",
        LATE,
        {"filler": "x" * 1_500_000},
        image='CMD ["/bin/sh", "-c", "while sleep 0.2; do dd bs=1 count=1 of=/dev/null 2>/dev/null; done"]\n',
        limits=QUICK,
        check=within(7),
    ),
    Attack(
        "leaves a daemon that holds its output",
        "ends when the command ends, and the daemon with it",
        ("succeeded",),
        script("(setsid sleep 60 &) ; echo '[1]'"),
        check=within(6),
    ),
    Attack(
        "hundreds of zombies",
        "reaped, so that the process limit is not reached",
        ("succeeded",),
        script("for i in $(seq 200); do (true &) ; done; sleep 0.2; echo '[1]'"),
        check=said([1]),
    ),
    Attack(
        "kills everything in its container",
        "ends as a failure of its own",
        ("failed/exit",),
        script("kill -9 -1; kill -9 1; exit 9"),
        check=within(6),
    ),
    Attack(
        "pretends to be out of memory",
        "is called what it is",
        ("failed/exit",),
        script("exit 137"),
    ),
    Attack(
        "ends before it was given anything",
        "no result, and no harm",
        ("failed/bad_output",),
        {"filler": "x" * 1_000_000},
        image='CMD ["/bin/true"]\n',
    ),
)
