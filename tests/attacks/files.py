"""Folders for files: what an agent leaves there for the platform to fall over."""

from tests.attacks.attack import Attack, Check, Seen
from tests.executions.images import python

WELL = ("succeeded",)


def _program(text: str) -> dict[str, object]:
    """Python in the output folder, which tells what it got."""
    return python(
        f"import os, errno, json, socket, subprocess\nos.chdir('/work/out')\ngot = []\n{text}\nprint(json.dumps(got))"
    )


def _refused(seen: Seen) -> str | None:
    taken = [name for name, said in seen.taken.items() if said.startswith("taken")]
    return f"taken: {taken}" if taken else None


def _taken(**expected: str) -> Check:
    return lambda seen: None if seen.taken == expected else f"{seen.taken}"


def _and_got(expected: object, check: Check = _refused) -> Check:
    return lambda seen: check(seen) or (None if seen.result == expected else f"got {seen.result!r}")


ATTACKS = (
    Attack(
        "links in the output folder to files of the host",
        "none is followed, neither the last part nor a folder on the way",
        WELL,
        _program(
            "os.symlink('/etc/shadow', 'file'); os.symlink('/etc', 'folder'); os.symlink('/proc/self/root', 'root');"
            "os.mkdir('a'); os.symlink('../../../../../../etc', 'a/up'); os.symlink('file', 'chain')"
        ),
        files=("file", "chain", "folder/shadow", "root/etc/shadow", "a/up/shadow"),
        check=_refused,
    ),
    Attack(
        "pipes, sockets and folders in place of files",
        "refused at once, nobody waits for their other end",
        WELL,
        _program("os.mkfifo('pipe'); s = socket.socket(socket.AF_UNIX); s.bind('socket'); os.mkdir('folder')"),
        files=("pipe", "socket", "folder"),
        check=_refused,
    ),
    Attack(
        "a file of 10 GB, and one with holes",
        "neither is made or read",
        WELL,
        _program(
            "f = open('huge', 'wb')\n"
            "try: f.truncate(10 << 30); got.append('huge')\n"
            "except OSError as e: got.append(errno.errorcode[e.errno])\n"
            "g = open('holes', 'wb'); g.truncate(1 << 20); g.close(); f.close(); os.truncate('huge', 60 << 20)"
        ),
        files=("huge", "holes"),
        check=_and_got(["EFBIG"]),
    ),
    Attack(
        "more bytes than the folder has",
        "the folder is full, and no machine's memory or disk",
        WELL,
        _program(
            "try:\n  for n in range(8): open(str(n), 'wb').write(bytes(10 << 20))\n"
            "except OSError as e: got.append(errno.errorcode[e.errno])"
        ),
        files=("0",),
        limits={"files": 16 * 1024 * 1024},
        check=_and_got(["ENOSPC"], _taken(**{"0": f"taken, {10 << 20} bytes"})),
    ),
    Attack(
        "ten thousand files",
        "the folder takes some hundreds",
        WELL,
        _program(
            "n = 0\ntry:\n  for n in range(10_000): open(str(n), 'w').close()\n"
            "except OSError as e: got += [errno.errorcode[e.errno], n < 600]"
        ),
        files=("0",),
        check=_and_got(["ENOSPC", True], _taken(**{"0": "taken, 0 bytes"})),
    ),
    Attack(
        "hard links to the input and to a file of one's own",
        "the input cannot be linked, and what has two names is refused",
        WELL,
        _program(
            "try: os.link('/work/in/1.txt', 'input'); got.append('linked')\n"
            "except OSError as e: got.append(errno.errorcode[e.errno])\n"
            "open('one', 'w').write('x'); os.link('one', 'two')"
        ),
        files=("input", "one", "two"),
        check=_and_got(["EXDEV"]),
    ),
    Attack(
        "names that lead out of the folder or deceive who reads them",
        "refused as they stand",
        WELL,
        _program(r"[open(n, 'w').close() for n in ('a\nb', 'a\x1b[31m', 'a\u202eb', 'x' * 255)]; os.mkdir('d')"),
        files=(
            "../in/1.txt",
            "d/../../in/1.txt",
            "/etc/shadow",
            "a\nb",
            "a\x1b[31m",
            "a\u202eb",
            "",
            ".",
            "..",
            "d//x",
            "a\0b",
            "x/" * 20,
        ),
        check=_refused,
    ),
    Attack(
        "programs, devices and root's files in the output folder",
        "nothing there can be executed, be a device, or belong to root",
        WELL,
        _program(
            "import shutil\nshutil.copy('/bin/busybox', 'run'); os.chmod('run', 0o6755)\n"
            "for name, action in (('run', lambda: subprocess.run(['/work/out/run', 'true'])),"
            " ('device', lambda: os.mknod('null', 0o020666, os.makedev(1, 3))), ('own', lambda: os.chown('run', 0, 0))):\n"
            "  try: action(); got.append(name)\n"
            "  except OSError as e: got.append(errno.errorcode[e.errno])"
        ),
        files=("null",),
        check=_and_got(["EACCES", "EPERM", "EPERM"]),
    ),
    Attack(
        "changes to the input's files",
        "they are read-only, whoever asks",
        WELL,
        _program(
            "for action in (lambda: open('/work/in/1.txt', 'a'), lambda: os.chmod('/work/in/1.txt', 0o777),"
            " lambda: os.unlink('/work/in/1.txt'), lambda: open('/work/in/2', 'w'), lambda: os.rename('/work/in', '/work/x')):\n"
            "  try: action(); got.append('changed')\n"
            "  except OSError: pass"
        ),
        files=("x",),
        check=_and_got([]),
    ),
    Attack(
        "files that nobody may read",
        "are taken all the same: the folder is the platform's",
        WELL,
        _program(
            "os.mkdir('d'); open('d/a', 'w').write('abc'); os.chmod('d/a', 0); os.chmod('d', 0); os.chmod('.', 0)"
        ),
        files=("d/a",),
        check=_taken(**{"d/a": "taken, 3 bytes"}),
    ),
)
