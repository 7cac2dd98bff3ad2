"""What the same attacks come to under gVisor, where it differs: some things are granted there that are refused in an
ordinary container, by a kernel that is the agent's own and has nothing of the machine."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from executions.runners.docker.runtimes import Runtime
from tests.attacks.attack import Attack, Check, Seen, nothing_gained

# Its kernel takes what it can, which ends it at some limit.
ENDED = ("succeeded", "timed_out", "failed/exit", "failed/out_of_memory", "failed/bad_output")
REFUSED = ("failed/infrastructure",)


@dataclass(frozen=True, slots=True)
class Difference:
    """Another promise; `granted` is what the attack may say it got, by how that begins."""

    promise: str
    granted: tuple[str, ...] = ()
    ends: tuple[str, ...] | None = None


DIFFERENT: Mapping[str, Difference] = {
    "write kernel settings": Difference("nothing but what its own kernel keeps of itself", ("oom_score_adj",)),
    "trace and read other processes": Difference(
        "its own children only; no such call reaches the machine",
        ("ptrace", "seize", "process_vm_readv", "memfd_create", "io_uring_setup", "userfaultfd"),
    ),
    "new namespaces": Difference("they are in its own kernel, and it ends at its limits", ends=ENDED),
    "device files in a layer": Difference("can be made in scratch space, and lead to no device", ("mknod",)),
    "thread bomb": Difference("threads are its own kernel's; the machine has few of them", ("500 threads",)),
    "memory bomb": Difference("killed, and said to be, or perhaps to be, out of memory", ends=ENDED),
    "memory bomb in many children": Difference("all of them share one limit", ends=ENDED),
    "memory by files in scratch space": Difference("counts as memory", ends=ENDED),
    "memory that no process owns": Difference("shared memory counts too", ends=ENDED),
    "disk and inode bomb": Difference("files are bounded by size and memory, not by number", ("inodes",)),
    "more processor than given": Difference(
        "priorities are its own kernel's, whose clocks are rough; the machine gives the share", ("nice", "1.", "2.")
    ),
    "programs, devices and root's files in the output folder": Difference(
        "what is executed there runs in its own kernel; no device, nothing of root's", ("run",)
    ),
}


def under_gvisor(attack: Attack, runtime: Runtime) -> Attack:
    """The attack with the promise that holds there."""
    if attack.hosts and not runtime.network:
        return replace(attack, promise="refused before it runs: no network", ends=REFUSED, check=_never_started)
    other = DIFFERENT.get(attack.name)
    if other is None:
        return attack
    check = _only(other.granted, attack.check) if other.granted else _survived if other.ends else attack.check
    return replace(attack, promise=other.promise, ends=other.ends or attack.ends, check=check)


def _only(granted: tuple[str, ...], usual: Check) -> Check:
    """Leaves out of the result what may be had."""

    def check(seen: Seen) -> str | None:
        left = [what for what in seen.result or [] if not str(what).startswith(granted)]
        if usual is nothing_gained:
            return f"got {left}" if left else None
        return None if left and set(left) <= {"EACCES", "EPERM"} else f"got {seen.result}"

    return check


def _survived(seen: Seen) -> str | None:
    return None if seen.seconds < 20 else f"took {seen.seconds:.1f} s"


def _never_started(seen: Seen) -> str | None:
    return "was started" if seen.sink.handles else None
