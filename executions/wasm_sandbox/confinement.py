"""The walls around a process of the sandbox, in case the engine's own should break."""

import ctypes
import os
import resource

from executions.wasm_sandbox.seccomp import refuse_system_calls

USER = 10001
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_libc = ctypes.CDLL(None, use_errno=True)


def confine(memory: int, cpu_seconds: int) -> None:
    """Give up every right this process will not need; what it has opened and loaded stays usable.

    `memory` is in bytes and bounds what is written to, not the address space: the engine reserves gigabytes of that.
    """
    os.chdir("/")
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_DATA, memory),
    ):
        _lower(limit, value, value)
    # The soft limit ends it with a signal that says so.
    _lower(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)  # no other process of this user may look into it
    refuse_system_calls()


def _lower(limit: int, soft: int, hard: int) -> None:
    _, present = resource.getrlimit(limit)
    if present != resource.RLIM_INFINITY:
        soft, hard = min(soft, present), min(hard, present)
    resource.setrlimit(limit, (soft, hard))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
