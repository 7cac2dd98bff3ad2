"""A filter of system calls for processes of the sandbox: no files, no sockets, no programs, no look at other processes.

WebAssembly that breaks out of the engine finds itself behind this. See seccomp(2) for the filter's form.
"""

import ctypes
import platform
import struct

_SECCOMP_MODE_FILTER, _PR_SET_SECCOMP = 2, 22
_LOAD, _JUMP_EQUAL, _JUMP_SET, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS = 0x00050001, 0x00050026
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_CLONE_THREAD = 0x10000
_X32 = 0x40000000

# Refused system calls: socket socketpair bind listen connect execve execveat openat openat2 unlinkat open_by_handle_at
# ptrace process_vm_readv process_vm_writev mount umount2 unshare setns chroot pivot_root bpf perf_event_open keyctl
# add_key request_key userfaultfd memfd_create io_uring_setup; and on x86-64 also open creat unlink fork vfork.
_MACHINES = {
    "x86_64": (
        0xC000003E,
        *(56, 435),
        (
            *(41, 53, 49, 50, 42, 59, 322, 257, 437, 263, 304, 101, 310, 311, 165, 166, 272, 308, 161, 155),
            *(321, 298, 250, 248, 249, 323, 319, 425, 2, 85, 87, 57, 58),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        *(220, 435),
        (
            *(198, 199, 200, 201, 203, 221, 281, 56, 437, 35, 265, 117, 270, 271, 40, 39, 97, 268, 51, 41),
            *(280, 241, 219, 217, 218, 282, 279, 425),
        ),
    ),
}


def refuse_system_calls() -> None:
    """Install the filter for this thread and those it starts. On other processors than these two there is none."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return
    program = _program(*machine)
    code = ctypes.create_string_buffer(b"".join(program))
    # struct sock_fprog: the number of instructions and their address.
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def _program(architecture: int, clone: int, clone3: int, refused: tuple[int, ...]) -> list[bytes]:
    program = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_JUMP_EQUAL, architecture, 1, 0),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER),
        _instruction(_JUMP_AT_LEAST, _X32, 0, 1),
        _instruction(_RETURN, _EPERM),
    ]
    for number in refused:
        program += [_instruction(_JUMP_EQUAL, number, 0, 1), _instruction(_RETURN, _EPERM)]
    return [
        *program,
        # The C library falls back to clone, whose flags a filter can see: threads only.
        *(_instruction(_JUMP_EQUAL, clone3, 0, 1), _instruction(_RETURN, _ENOSYS)),
        *(_instruction(_JUMP_EQUAL, clone, 0, 3), _instruction(_LOAD, _FIRST_ARGUMENT)),
        *(_instruction(_JUMP_SET, _CLONE_THREAD, 1, 0), _instruction(_RETURN, _EPERM)),
        _instruction(_RETURN, _ALLOW),
    ]


def _instruction(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, when_true, when_false, value)
