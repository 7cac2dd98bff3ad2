"""Images that ask for more than a program to run."""

from tests.attacks.attack import Attack, Seen, said
from tests.executions.images import python

REFUSED = ("failed/image",)
SHELL = 'CMD ["/bin/sh", "-c", "echo [1]"]\n'


def _never_started(seen: Seen) -> str | None:
    return "was started" if seen.sink.handles else None


def _image(name: str, promise: str, lines: str) -> Attack:
    return Attack(name, promise, REFUSED, image=lines + SHELL, check=_never_started)


ATTACKS = (
    _image("working directory in /proc", "refused before it starts (CVE-2024-21626)", "WORKDIR /proc/self/fd/8\n"),
    _image(
        "working directory through a link",
        "refused before it starts",
        "USER 0\nRUN ln -s /proc/self/fd /a && mkdir -p /b && ln -s /a /b/c\nWORKDIR /b/c/9\n",
    ),
    _image("volume over /sys", "refused before it starts", "VOLUME /sys/fs/cgroup\n"),
    _image("volume over the engine's socket", "refused before it starts", 'VOLUME ["/run:/run"]\n'),
    _image(
        "more volumes than any program needs",
        "refused before it starts",
        "VOLUME " + " ".join(f"/v{n}" for n in range(9)) + "\n",
    ),
    _image(
        "labels of the platform's own",
        "refused before it starts",
        "LABEL io.agentnexus.instance=other io.agentnexus.execution=other io.agentnexus.deadline=0\n",
    ),
    Attack(
        "user, health check and stop signal of its own",
        "none of them is obeyed",
        ("succeeded",),
        python(
            "import json, os\nprint(json.dumps([os.getuid(), os.path.exists('/tmp/checked'), open('/proc/1/comm').read().strip()]))"
        ),
        image="""USER 0:0
HEALTHCHECK --interval=1s CMD ["/bin/sh", "-c", "touch /tmp/checked"]
STOPSIGNAL SIGCONT
""",
        check=said([10001, False, "docker-init"]),
    ),
    Attack(
        "environment of half a megabyte",
        "the command cannot start, and the image is said to be at fault",
        (*REFUSED, "failed/exit"),
        image=f"ENV A={'x' * 60_000}\nENV BIG=$A$A$A$A\n" + SHELL,
    ),
    Attack(
        "preload libraries and shells by environment",
        "gives nothing the program did not have",
        ("succeeded",),
        python("import json, os; print(json.dumps(os.getuid()))"),
        image="ENV LD_PRELOAD=/nowhere.so LD_LIBRARY_PATH=/tmp ENV=/tmp/rc BASH_ENV=/tmp/rc\n",
        check=said(10001),
    ),
    Attack(
        "command that is a folder",
        "the image is said to be at fault",
        (*REFUSED, "failed/exit"),
        image='CMD ["/etc"]\n',
    ),
    Attack(
        "command that does not exist",
        "the image is said to be at fault",
        (*REFUSED, "failed/exit"),
        image='CMD ["/no/such"]\n',
    ),
    Attack(
        "command for another processor",
        "the image is said to be at fault",
        (*REFUSED, "failed/exit"),
        image="USER 0\nRUN printf '\\177ELF\\002\\001\\001\\000\\000\\000\\000\\000\\000\\000\\000\\000\\002\\000\\363\\000' > /riscv && chmod 755 /riscv\n"
        'CMD ["/riscv"]\n',
    ),
)
