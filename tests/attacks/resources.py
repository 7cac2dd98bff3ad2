"""Taking more than a share: memory, processes, disk, descriptors, processor."""

from tests.attacks.attack import PRELUDE, REPORT, Attack, nothing_gained, within
from tests.executions.images import python, script

ENDED = ("succeeded", "timed_out", "failed/exit", "failed/out_of_memory", "failed/bad_output")
OOM = ("failed/out_of_memory",)


def _limited(name: str, promise: str, text: str, **limits: int) -> Attack:
    return Attack(name, promise, ("succeeded",), python(PRELUDE + text + REPORT), check=nothing_gained, limits=limits)


ATTACKS = (
    Attack(
        "fork bomb",
        "bounded by the process limit, gone at the deadline",
        ENDED,
        script("b() { b | b & }; b; sleep 60"),
        limits={"timeout": 3},
        check=within(8),
    ),
    _limited(
        "thread bomb",
        "no more than 64 tasks",
        """
threads = 0
def idle(): time.sleep(20)
try:
    while threads < 500:
        threading.Thread(target=idle, daemon=True).start(); threads += 1
except RuntimeError: pass
if threads > 64: got.append(f"{threads} threads")
print(json.dumps(got), flush=True); os._exit(0)
""",
    ),
    Attack(
        "memory bomb",
        "killed, and said to be out of memory",
        OOM,
        python("x = []\nwhile True: x.append(bytearray(1 << 20))"),
    ),
    Attack(
        "memory bomb in many children",
        "all of them share one limit",
        OOM,
        python("import os\nfor _ in range(4): os.fork()\nx = []\nwhile True: x.append(bytearray(1 << 20))"),
    ),
    Attack(
        "memory by files in scratch space",
        "counts as memory",
        OOM,
        script("exec dd if=/dev/zero of=/tmp/a bs=1M count=60"),
        limits={"memory": 40 * 1024 * 1024},
    ),
    Attack(
        "memory that no process owns",
        "shared memory counts too",
        OOM,
        python(
            PRELUDE
            + """
libc.shmat.restype = ctypes.c_void_p
while True:
    segment = libc.shmget(0, 1 << 20, 0o1600)
    if segment < 0: time.sleep(60)
    ctypes.memset(libc.shmat(segment, None, 0), 1, 1 << 20)
"""
        ),
    ),
    _limited(
        "memory of the kernel",
        "pipes and shared memory files are bounded",
        """
def pipes():
    kept = []
    while len(kept) < 4000:
        kept.append(os.pipe()); fcntl.fcntl(kept[-1][1], 1031, 1 << 20)
    return len(kept)
attempt("pipes", pipes)
def big():
    with open("/dev/shm/x", "wb") as f: f.write(bytes(9 << 20))
attempt("/dev/shm", big)
""",
    ),
    _limited(
        "disk and inode bomb",
        "nothing but a bounded scratch space can be filled",
        """
def fill(folder):
    def write():
        with open(folder + "/big", "wb") as f:
            for _ in range(80): f.write(bytes(1 << 20))
    return write
for folder in "/ /var/tmp /agent /usr /run /tmp /dev/shm /home".split():
    attempt("fill " + folder, fill(folder))
    try: os.remove(folder + "/big")
    except OSError: pass
def many():
    for number in range(6000): open(f"/tmp/{number}", "w").close()
attempt("inodes", many)
""",
        memory=160 * 1024 * 1024,
    ),
    Attack(
        "archive that unpacks to gigabytes",
        "ends at the scratch space's limit",
        ("succeeded",),
        python(
            "import gzip, io, json\nraw = io.BytesIO()\n"
            "with gzip.GzipFile(fileobj=raw, mode='wb', compresslevel=1) as z:\n for _ in range(200): z.write(bytes(1 << 20))\n"
            "raw.seek(0); done = 0\ntry:\n with gzip.open(raw) as z, open('/tmp/out', 'wb') as f:\n"
            "  while data := z.read(1 << 20): f.write(data); done += 1\nexcept OSError as e: print(json.dumps([done, e.errno]))"
        ),
        check=lambda seen: f"got {seen.result}" if not (seen.result[0] < 65 and seen.result[1] in (27, 28)) else None,
        limits={"memory": 160 * 1024 * 1024},
    ),
    Attack(
        "sparse file of a terabyte",
        "ended by the file size limit",
        ("failed/exit",),
        python("import os; os.truncate(os.open('/tmp/x', os.O_CREAT | os.O_RDWR), 1 << 40)"),
    ),
    _limited(
        "descriptors without end",
        "the number of open files is bounded",
        """
def descriptors():
    kept = [os.open("/dev/null", 0) for _ in range(5000)]
    return len(kept)
attempt("descriptors", descriptors)
for what in ("NOFILE", "NPROC", "FSIZE", "CORE", "MEMLOCK"):
    limit = getattr(resource, "RLIMIT_" + what)
    soft, hard = resource.getrlimit(limit)
    if hard != -1: attempt(what, lambda: resource.setrlimit(limit, (hard + 1, hard + 1)))
""",
    ),
    _limited(
        "more processor than given",
        "priority and real time cannot be had, four burners share half a processor",
        """
attempt("nice", lambda: os.nice(-5))
attempt("fifo", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
attempt("io", lambda: 1 / (libc.syscall(ctypes.c_long(251), 1, 0, 1 << 13) == 0))
end = time.monotonic() + 1.2
children = [os.fork() or "child" for _ in range(2)]
while time.monotonic() < end: pass
if "child" in children: os._exit(0)
for _ in range(2): os.wait()
t = os.times()
used = t.user + t.system + t.children_user + t.children_system
if used > 1.2: got.append(f"{used:.2f} s of processor in 1.2 s")
""",
    ),
)
