"""What an agent cannot do. The attacks are the agents' own code; each tries the real thing and reports what it got."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from executions.runners.base import Ending
from executions.runners.docker import DockerRunner
from tests.executions import images
from tests.executions.images import python, script
from tests.executions.runners.recording import Ran, Recorder, run

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Labels name the installation by its database."""


def attack(runner: DockerRunner, image: str, text: str, **changes: Any) -> Any:
    """The result of a Python program that tries something."""
    ran: Ran = run(runner, image, python(text), **changes)
    assert ran.outcome.ending == Ending.EXITED, (ran.outcome, ran.sink)
    return ran.output


SCRATCH = ("/tmp", "/dev/shm")  # noqa: S108  inside the container
TRY = """
import json, os, errno
def attempt(action):
    try: action(); return "ok"
    except OSError as e: return errno.errorcode.get(e.errno, str(e.errno))
"""


def test_only_scratch_space_can_be_written(runner: DockerRunner, scripted: str) -> None:
    program = (
        TRY
        + """
places = "/ /etc /usr /agent /root /home /run /var/tmp /sys /proc/sys/kernel /dev /tmp /dev/shm".split()
print(json.dumps({p: attempt(lambda: open(p + "/x", "w").write("x")) for p in places}))
"""
    )
    result = attack(runner, scripted, program)
    assert [result.pop(place) for place in SCRATCH] == ["ok", "ok"]
    assert set(result.values()) <= {"EROFS", "EACCES", "ENOENT"}


def test_scratch_space_is_small_and_not_executable(runner: DockerRunner, scripted: str) -> None:
    program = (
        TRY
        + """
import shutil, subprocess
def fill():
    with open("/tmp/big", "wb") as f:
        for _ in range(70): f.write(b"x" * 1048576)
full = attempt(fill); os.remove("/tmp/big")
def many():
    for i in range(5000): open(f"/tmp/{i}", "w").close()
files = attempt(many)
for i in range(100): os.remove(f"/tmp/{i}")
results = {"size": full, "files": files}
for place in ("/tmp", "/dev/shm"):
    shutil.copy("/bin/busybox", place + "/prog"); os.chmod(place + "/prog", 0o755)
    results[place] = attempt(lambda: os.execv(place + "/prog", ["true"]))
print(json.dumps(results))
"""
    )
    assert attack(runner, scripted, program, memory=256 * 1024 * 1024) == {
        "size": "ENOSPC",
        "files": "ENOSPC",
        **dict.fromkeys(SCRATCH, "EACCES"),
    }


def test_one_file_cannot_grow_beyond_its_limit(runner: DockerRunner, scripted: str) -> None:
    program = (
        TRY
        + """
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
f = open("/tmp/sparse", "wb")
print(json.dumps(attempt(lambda: os.truncate("/tmp/sparse", 1 << 40))))
"""
    )
    assert attack(runner, scripted, program) == "EFBIG"


def test_identity_and_powers(runner: DockerRunner, scripted: str) -> None:
    program = (
        TRY
        + """
status = dict(l.split(":\\t") for l in open("/proc/self/status").read().splitlines() if ":\\t" in l)
print(json.dumps({
    "ids": [os.getuid(), os.getgid(), os.geteuid(), os.getgroups()],
    "caps": [status[k].strip() for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "nnp": status["NoNewPrivs"].strip(), "seccomp": status["Seccomp"].strip(),
    "env": sorted(os.environ), "host": os.uname().nodename, "cwd": os.getcwd(),
    "setuid": attempt(lambda: os.setuid(0)), "chroot": attempt(lambda: os.chroot("/tmp")),
}))
"""
    )
    result = attack(runner, scripted, program)
    assert result["ids"] in ([10001, 10001, 10001, []], [10001, 10001, 10001, [10001]])
    assert result["caps"] == ["0000000000000000"] * 5
    assert (result["nnp"], result["seccomp"]) == ("1", "2")
    assert {"HOME", "HOSTNAME", "PATH"} <= set(result["env"])
    assert not [name for name in result["env"] if "KEY" in name or "SECRET" in name or "URL" in name]
    assert (result["host"], result["setuid"], result["chroot"]) == ("agent", "EPERM", "EPERM")


def test_image_cannot_choose_root_or_get_it_from_a_setuid_program(
    runner: DockerRunner, engine: docker.APIClient, base_image: str
) -> None:
    dockerfile = f"""FROM {base_image}
USER 0:0
RUN cp "$(readlink -f "$(which python3)")" /suid && chown 0:0 /suid && chmod 4755 /suid
CMD ["/suid", "-c", "import os; print([os.getuid(), os.geteuid(), oct(os.stat('/suid').st_mode)])"]"""
    with images.built(engine, "agentnexus-test/suid", dockerfile) as image:
        ran = run(runner, image, {})
    assert ran.sink.stdout == ["[10001, 10001, '0o104755']"]


@pytest.mark.parametrize(
    ("name", "number", "arguments"),
    [
        ("io_uring_setup", 425, (1, 0)),
        ("ptrace", 101, (0, 0, 0, 0)),
        ("memfd_create", 319, (0, 0)),
        ("memfd_secret", 447, (0,)),
        ("unshare", 272, (0x10000000,)),
        ("setns", 308, (0, 0)),
        ("mount", 165, (0, 0, 0, 0, 0)),
        ("umount2", 166, (0, 0)),
        ("pivot_root", 155, (0, 0)),
        ("bpf", 321, (0, 0, 0)),
        ("perf_event_open", 298, (0, 0, 0, 0, 0)),
        ("keyctl", 250, (0, 0, 0, 0, 0)),
        ("add_key", 248, (0, 0, 0, 0, 0)),
        ("userfaultfd", 323, (0,)),
        ("process_vm_readv", 310, (1, 0, 0, 0, 0, 0)),
        ("process_vm_writev", 311, (1, 0, 0, 0, 0, 0)),
        ("kcmp", 312, (1, 1, 0, 0, 0)),
        ("open_by_handle_at", 304, (0, 0, 0)),
        ("name_to_handle_at", 303, (0, 0, 0, 0, 0)),
        ("init_module", 175, (0, 0, 0)),
        ("finit_module", 313, (0, 0, 0)),
        ("kexec_load", 246, (0, 0, 0, 0)),
        ("reboot", 169, (0, 0, 0, 0)),
        ("swapon", 167, (0, 0)),
        ("syslog", 103, (2, 0, 0)),
        ("acct", 163, (0,)),
        ("settimeofday", 164, (0, 0)),
        ("sync", 162, ()),
        ("iopl", 172, (3,)),
        ("fanotify_init", 300, (0, 0)),
        ("pidfd_getfd", 438, (0, 0, 0)),
        ("execveat", 322, (0, 0, 0, 0, 0)),
        ("clone with a new user namespace", 56, (0x10000011, 0, 0, 0, 0)),
        ("socket: packet", 41, (17, 3, 0)),
        ("socket: vsock", 41, (40, 1, 0)),
        ("socket: crypto", 41, (38, 5, 0)),
        ("personality: no randomisation", 135, (0x0040000,)),
    ],
)
def test_system_call_is_denied(name: str, number: int, arguments: tuple[int, ...], denied: dict[str, str]) -> None:
    assert denied[f"{number} {arguments}"] == "EPERM"


@pytest.fixture(scope="module")
def denied(runner: DockerRunner, scripted: str, django_db_setup: None, django_db_blocker: Any) -> dict[str, str]:
    """What each of the calls above returns, all tried in one container."""
    marks = [mark for mark in test_system_call_is_denied.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    calls = [(number, arguments) for _, number, arguments in marks[0].args[1]]
    program = f"""
import ctypes, errno, json, os
libc = ctypes.CDLL(None, use_errno=True)
result = {{}}
for number, arguments in {calls!r}:
    ctypes.set_errno(0)
    answer = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in arguments))
    if number == 56 and answer == 0: os._exit(0)
    result[f"{{number}} {{arguments}}"] = "ok" if answer >= 0 else errno.errorcode[ctypes.get_errno()]
print(json.dumps(result))
"""
    with django_db_blocker.unblock():
        answer: dict[str, str] = attack(runner, scripted, program)
    return answer


def test_newest_clone_is_said_not_to_exist(runner: DockerRunner, scripted: str) -> None:
    """C libraries then use the old one, whose flags a filter can read."""
    program = (
        "import ctypes, errno, json; l = ctypes.CDLL(None, use_errno=True); l.syscall(435, 0, 0); "
        "print(json.dumps(errno.errorcode[ctypes.get_errno()]))"
    )
    assert attack(runner, scripted, program) == "ENOSYS"


def test_ordinary_programs_work(runner: DockerRunner, scripted: str) -> None:
    program = """
import asyncio, concurrent.futures, json, multiprocessing, os, socket, sqlite3, subprocess, tempfile, threading, mmap
threads = list(concurrent.futures.ThreadPoolExecutor(4).map(lambda x: x * x, range(4)))
child = subprocess.run(["sh", "-c", "echo hi | tr a-z A-Z"], capture_output=True, text=True).stdout.strip()
async def both(): return await asyncio.gather(*(asyncio.sleep(0.01, i) for i in range(2)))
a, b = socket.socketpair(); a.send(b"x"); got = b.recv(1).decode()
server = socket.create_server(("127.0.0.1", 0)); client = socket.create_connection(server.getsockname())
db = sqlite3.connect(tempfile.mktemp()); db.execute("create table t(x)"); db.execute("insert into t values (1)")
q = multiprocessing.get_context("fork").SimpleQueue()
p = multiprocessing.get_context("fork").Process(target=lambda: q.put(1)); p.start(); p.join()
m = mmap.mmap(-1, 4096); m[:2] = b"ok"
row = db.execute("select x from t").fetchone()
print(json.dumps([threads, child, asyncio.run(both()), got, row, q.get(), m[:2].decode()]))
"""
    assert attack(runner, scripted, program) == [[0, 1, 4, 9], "HI", [0, 1], "x", [1], 1, "ok"]


def test_processes_are_counted(runner: DockerRunner, scripted: str) -> None:
    program = (
        TRY
        + """
import time
children = 0
def fork():
    global children
    while True:
        if os.fork() == 0: time.sleep(5); os._exit(0)
        children += 1
print(json.dumps([attempt(fork), children < 64]))
"""
    )
    assert attack(runner, scripted, program) == ["EAGAIN", True]


def test_zombies_do_not_pile_up(runner: DockerRunner, scripted: str) -> None:
    # Thirty orphans at a time, the next when those are gone: on a busy machine they need a moment.
    text = """
for round in 1 2 3 4 5; do
    for i in $(seq 30); do (sleep 0.001 &); done
    for try in $(seq 100); do set -- /proc/[0-9]*; [ $# -lt 10 ] && break; sleep 0.05; done
done
echo '[1]'
"""
    ran = run(runner, scripted, script(text))
    assert ran.output == [1]
    assert ran.sink.stderr == []


def test_half_a_processor(runner: DockerRunner, scripted: str) -> None:
    program = """
import json, os, time
end = time.monotonic() + 1.5
if os.fork() == 0:
    while time.monotonic() < end: pass
    os._exit(0)
while time.monotonic() < end: pass
os.wait(); t = os.times()
print(json.dumps(t.user + t.system + t.children_user + t.children_system))
"""
    assert attack(runner, scripted, program, nano_cpus=500_000_000) < 1.2


@pytest.fixture
def host_service() -> Iterator[int]:
    """The port of a service of the host that every network of the host can reach; it remembers being called."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104  that is the point
        called = threading.Event()

        def serve() -> None:
            try:
                server.accept()[0].close()
                called.set()
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        assert not called.is_set()
        with socket.create_connection(server.getsockname()):
            thread.join()


def test_no_network(runner: DockerRunner, scripted: str, host_service: int) -> None:
    program = (
        TRY
        + f"""
import socket
def connect(host, port): socket.create_connection((host, port), timeout=2)
targets = [("172.17.0.1", {host_service}), ("169.254.169.254", 80), ("1.1.1.1", 53), ("127.0.0.1", {host_service})]
result = {{h: attempt(lambda: connect(h, p)) for h, p in targets}}
result["dns"] = attempt(lambda: socket.getaddrinfo("example.org", 80))
result["interfaces"] = [name for _, name in socket.if_nameindex()]
print(json.dumps(result))
"""
    )
    result = attack(runner, scripted, program)
    assert result.pop("interfaces") == ["lo"]
    assert result.pop("127.0.0.1") == "ECONNREFUSED"
    assert result.pop("dns") != "ok"
    assert result == {"172.17.0.1": "ENETUNREACH", "169.254.169.254": "ENETUNREACH", "1.1.1.1": "ENETUNREACH"}


def test_nothing_of_the_host_is_mounted(runner: DockerRunner, scripted: str) -> None:
    program = """
import json
rows = [l.split() for l in open("/proc/self/mounts")]
own = "proc sysfs cgroup cgroup2 tmpfs devpts mqueue".split()
print(json.dumps({r[1]: r[3].split(",")[0] for r in rows if r[2] not in own}))
"""
    result = attack(runner, scripted, program)
    assert result.pop("/") == "ro"
    # The engine's own files of the container, read-only.
    assert set(result) <= {"/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/sbin/docker-init"}
    assert set(result.values()) == {"ro"}


def test_volumes_of_the_image_are_small_scratch_spaces(
    runner: DockerRunner, engine: docker.APIClient, base_image: str
) -> None:
    mounts: list[dict[str, Any]] = []

    class Looking(Recorder):
        def started(self, handle: str) -> bool:
            mounts.extend(engine.inspect_container(handle)["Mounts"])
            return super().started(handle)

    fill = "dd if=/dev/zero of=/data/x bs=1M count=99 2>/dev/null; du -m /data/x"
    command = f"grep -E ' (/data|/a/b) ' /proc/mounts; {fill}; echo '[]'"
    with images.built(
        engine, "agentnexus-test/volumes", f"FROM {base_image}\nVOLUME /data /a//b/\nCMD {command}"
    ) as image:
        ran = run(runner, image, {}, sink=Looking())
    assert [line.split()[0] for line in ran.sink.stdout[:2]] == ["tmpfs", "tmpfs"]
    assert int(ran.sink.stdout[2].split()[0]) <= 17
    assert [mount for mount in mounts if mount["Type"] == "volume"] == []


@pytest.mark.parametrize(
    "lines",
    [
        "WORKDIR /proc/self/fd/7",
        "USER 0\nRUN ln -s /proc/self/fd /fds\nUSER 10001\nENV X=1\nWORKDIR /fds/8",
        "VOLUME /proc/x",
        "VOLUME " + " ".join(f"/v{number}" for number in range(9)),
    ],
    ids=["workdir in proc", "workdir through a link", "volume over proc", "many volumes"],
)
def test_images_with_tricks_are_refused(
    runner: DockerRunner, engine: docker.APIClient, base_image: str, lines: str
) -> None:
    with images.built(engine, "agentnexus-test/tricks", f'FROM {base_image}\n{lines}\nCMD ["/bin/sh"]') as image:
        ran = run(runner, image, {})
    assert ran.outcome.ending == Ending.IMAGE, ran
    assert ran.sink.handles == []


def test_healthcheck_and_stop_signal_of_the_image_are_ignored(
    runner: DockerRunner, engine: docker.APIClient, base_image: str
) -> None:
    dockerfile = f"""FROM {base_image}
HEALTHCHECK --interval=1s CMD ["/bin/sh", "-c", "echo checked > /tmp/checked"]
STOPSIGNAL SIGCONT
CMD ["/bin/sh", "-c", "sleep 1.6; ls /tmp; echo '[]'"]"""
    seen = []

    def inspect(handle: str) -> None:
        seen.append(engine.inspect_container(handle)["Config"])

    class Looking(Recorder):
        def started(self, handle: str) -> bool:
            inspect(handle)
            return super().started(handle)

    with images.built(engine, "agentnexus-test/healthcheck", dockerfile) as image:
        ran = run(runner, image, {}, sink=Looking())
    assert ran.sink.stdout == []
    assert seen[0]["Healthcheck"]["Test"] == ["NONE"]
