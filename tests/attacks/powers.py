"""Reaching for the host: its files, its kernel, its other users."""

from tests.attacks.attack import PRELUDE, REPORT, Attack, nothing_gained
from tests.executions.images import python

WON = ("succeeded",)


def _attack(name: str, promise: str, text: str, image: str = "") -> Attack:
    return Attack(name, promise, WON, python(PRELUDE + text + REPORT), image, nothing_gained)


ATTACKS = (
    _attack(
        "read the host through /proc",
        "kernel memory, messages and other processes stay unread",
        """
for p in "kcore kmsg sched_debug timer_list keys sysrq-trigger 1/mem 1/root/etc/shadow".split():
    attempt(p, lambda: open("/proc/" + p, "rb").read(16) or 1 / 0)
others = [p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid(), os.getppid())]
if len(others) > 3: got.append(f"processes {others}")
""",
    ),
    _attack(
        "write kernel settings",
        "nothing below /proc and /sys can be written",
        """
for p in ("/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/drop_caches /proc/sysrq-trigger "
          "/proc/sys/net/ipv4/ip_forward /sys/kernel/uevent_helper /sys/kernel/mm/ksm/run "
          "/proc/self/uid_map /sys/power/state /proc/irq/1/smp_affinity").split():
    def write():
        with open(p, "w") as f: f.write("1")
    attempt(p, write)
def less():
    with open("/proc/self/oom_score_adj", "w") as f: f.write("-900")
attempt("oom_score_adj", less)
""",
    ),
    _attack(
        "change its own control group",
        "limits cannot be raised, release_agent cannot be set, no group can be made",
        """
for folder, folders, files in os.walk("/sys/fs/cgroup"):
    attempt("mkdir " + folder, lambda: os.mkdir(folder + "/x"))
    for name in files:
        if name in ("memory.limit_in_bytes", "memory.max", "pids.max", "cpu.max", "cpu.cfs_quota_us", "cgroup.procs",
                    "release_agent", "notify_on_release", "devices.allow", "tasks", "memory.high"):
            attempt(name, lambda: os.close(os.open(folder + "/" + name, os.O_WRONLY)))
for kind in (b"cgroup", b"cgroup2", b"proc", b"tmpfs", b"overlay"):
    if libc.mount(b"x", b"/tmp", kind, 0, b"") == 0: got.append(f"mount {kind}")
""",
    ),
    _attack(
        "look for an engine's socket",
        "no socket and no mount of the host is anywhere",
        """
import stat
for folder, folders, files in os.walk("/", onerror=lambda e: None):
    folders[:] = [f for f in folders if folder != "/" or f not in ("proc", "sys")]
    for name in files:
        if stat.S_ISSOCK(os.lstat(os.path.join(folder, name)).st_mode): got.append(os.path.join(folder, name))
for p in "/var/run/docker.sock /run/docker.sock /run/containerd/containerd.sock /run/podman/podman.sock".split():
    def talk():
        s = socket.socket(socket.AF_UNIX); s.connect(p)
    attempt(p, talk)
for name in ("\\0/containerd-shim/x.sock", "\\0containerd", "\\0dbus"):
    attempt(repr(name), lambda: socket.socket(socket.AF_UNIX).connect(name))
if open("/proc/net/unix").read().count("@"): got.append("abstract sockets")
""",
    ),
    _attack(
        "overwrite the runtime",
        "neither runc nor the init program can be opened for writing (CVE-2019-5736)",
        """
for p in "/proc/self/exe /proc/1/exe /sbin/docker-init /bin/busybox /bin/sh".split():
    attempt(p, lambda: os.close(os.open(p, os.O_WRONLY)))
    attempt("truncate " + p, lambda: os.truncate(p, 0))
""",
    ),
    _attack(
        "leave by a leaked file descriptor",
        "no descriptor of the host is inherited (CVE-2024-21626)",
        """
for fd in range(3, 256):
    def leave():
        os.fchdir(fd)
        return os.listdir("../../../..")
    attempt(f"fd {fd}", leave)
    attempt(f"read {fd}", lambda: os.readlink(f"/proc/self/fd/{fd}"))
for pid in (1, os.getpid()):
    for fd in range(3, 32):
        attempt(f"open {pid} {fd}", lambda: os.listdir(f"/proc/{pid}/fd/{fd}/.."))
""",
    ),
    _attack(
        "trace and read other processes",
        "ptrace, process_vm and pidfd calls are refused",
        """
child = os.fork()
if child == 0: time.sleep(5); os._exit(0)
for pid in (1, child):
    call(f"ptrace {pid}", 101, 16, pid, 0, 0)
    call(f"seize {pid}", 101, 0x4206, pid, 0, 0)
    buffer = ctypes.create_string_buffer(16)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 16)
    call(f"process_vm_readv {pid}", 310, pid, ctypes.addressof(vector), 1, ctypes.addressof(vector), 1, 0)
os.kill(child, 9)
call("memfd_create", 319, ctypes.addressof(ctypes.create_string_buffer(b"x")), 0)
call("io_uring_setup", 425, 1, ctypes.addressof(ctypes.create_string_buffer(256)))
call("userfaultfd", 323, 0)
""",
    ),
    _attack(
        "new namespaces",
        "no user, mount, network or cgroup namespace can be made or entered",
        """
for flag in (0x10000000, 0x00020000, 0x40000000, 0x02000000, 0x08000000, 0x04000000, 0x20000000):
    call(f"unshare {flag:#x}", 272, flag)
    call(f"clone {flag:#x}", 56, flag | 17, 0, 0, 0, 0)
for name in os.listdir("/proc/1/ns"):
    def enter():
        fd = os.open("/proc/1/ns/" + name, os.O_RDONLY)
        if libc.setns(fd, 0): raise OSError
    attempt("setns " + name, enter)
""",
    ),
    _attack(
        "root by a setuid program and file capabilities",
        "programs with privileges in an image give none",
        """
for program in ("/suid", "/capable"):
    show = "import os; print(os.getuid(), os.geteuid(), [l for l in open('/proc/self/status') if l.startswith('CapEff')])"
    def run():
        answer = subprocess.run([program, "-c", show], capture_output=True, text=True).stdout
        if answer.startswith("10001 10001") and "0000000000000000" in answer: raise OSError
        return answer
    attempt(program, run)
""",
        image="""USER 0
RUN p=$(readlink -f $(which python3)); cp $p /suid; chmod 6755 /suid; cp $p /capable; \\
 python3 -c 'import os,struct; os.setxattr("/capable", "security.capability", struct.pack("<5I", 0x02000001, 0xffffffff, 0, 0x1ff, 0))'
""",
    ),
    _attack(
        "device files in a layer",
        "a disk or memory device made in the image cannot be opened",
        """
for p in "/disk /memory /kmsg /loop".split():
    attempt(p, lambda: os.read(os.open(p, os.O_RDONLY), 16))
    attempt("write " + p, lambda: os.open(p, os.O_WRONLY))
for mode in (0o020666, 0o060666):
    attempt("mknod", lambda: os.mknod("/tmp/dev", mode, os.makedev(1, 1)))
""",
        image="""USER 0
RUN mknod -m 666 /disk b 254 0; mknod -m 666 /memory c 1 1; mknod -m 666 /kmsg c 1 11; mknod -m 666 /loop c 10 237
""",
    ),
)
