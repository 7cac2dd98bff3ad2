"""A stand-in for python:3.12-slim, made from the distribution's own packages where no image registry can be reached.

The packages are downloaded by apt, which checks their signatures, and unpacked without being installed; root is not
needed. The result is a tar archive of a root file system for `docker import`.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from deploy.agents.base import packages
from deploy.agents.images.errors import ImageBuildError

# What `docker import` is told about the file system.
CHANGES = (
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "ENV LANG=C.UTF-8",
    'CMD ["python3"]',
)
APT_OPTIONS = ("-qq", "-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20")
DROPPED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/share/bug", "usr/share/info")
ACCOUNTS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
GROUPS = "root:x:0:\nnogroup:x:65534:\n"


def make(folder: Path) -> Path:
    """Make the root file system below `folder`, and return the path of its tar archive.

    Raises ImageBuildError with a sentence when this machine cannot make one.
    """
    return make_root(folder, packages.choose(), _configure)


def make_root(folder: Path, names: tuple[str, ...], configure: Callable[[Path], None]) -> Path:
    """The same of the given packages; `configure` does what their own scripts would have done."""
    debs, root, archive = folder / "debs", folder / "root", folder / "root.tar"
    debs.mkdir()
    root.mkdir()
    _download(names, debs)
    # base-files first: where /bin is a link to usr/bin, it brings the link.
    for deb in sorted(debs.glob("*.deb"), key=lambda path: (not path.name.startswith("base-files_"), path.name)):
        _run(["dpkg", "-x", str(deb), str(root)], "A package cannot be unpacked")
    configure(root)
    _run(
        [
            "tar",
            "--create",
            "--file",
            str(archive),
            "--directory",
            str(root),
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            ".",
        ],
        "The file system cannot be packed",
    )
    return archive


def _download(names: tuple[str, ...], folder: Path) -> None:
    command = ["apt-get", *APT_OPTIONS, "download", *names]
    first = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if first.returncode == 0:
        return
    # The lists may be older than the archive, which then has newer versions only.
    if os.geteuid() == 0:
        subprocess.run(["apt-get", *APT_OPTIONS, "update"], capture_output=True, check=False, timeout=120)
    _run(command, "The packages of an image cannot be downloaded", cwd=folder)


def _configure(root: Path) -> None:
    """Do what the packages' own scripts would have done, as far as a Python image needs it."""
    for unneeded in DROPPED:
        shutil.rmtree(root / unneeded, ignore_errors=True)
    for name in ("bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr/local/bin", "var/tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    _link_commands(root)
    _link_python(root)
    (root / "etc/passwd").write_text(ACCOUNTS, encoding="ascii")
    (root / "etc/group").write_text(GROUPS, encoding="ascii")
    authorities = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(b"".join(path.read_bytes() for path in authorities))


def _link_commands(root: Path) -> None:
    """A shell and the usual commands: links to busybox for each of its applets that the file system lacks."""
    busybox = next((path for path in (root / "bin/busybox", root / "usr/bin/busybox") if path.is_file()), None)
    if busybox is None:
        raise ImageBuildError("The package busybox-static holds no busybox: a stand-in image cannot be made.")
    listing = subprocess.run([str(busybox), "--list"], capture_output=True, text=True, check=False)
    for applet in listing.stdout.split():
        link = root / "bin" / applet
        if not link.exists() and not link.is_symlink() and not (root / "usr/bin" / applet).exists():
            link.symlink_to("busybox")


def _link_python(root: Path) -> None:
    interpreters = [path for path in (root / "usr/bin").iterdir() if re.fullmatch(r"python3\.\d+", path.name)]
    newest = max(interpreters, key=lambda path: int(path.name.partition(".")[2]))
    for name, target in (("python3", newest.name), ("python", "python3")):
        link = root / "usr/bin" / name
        if not link.is_symlink():
            link.symlink_to(target)


def _run(command: list[str], failure: str, cwd: Path | None = None) -> None:
    answer = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        lines = (answer.stderr or answer.stdout).strip().splitlines() or [f"{command[0]} gave no reason"]
        raise ImageBuildError(f"{failure}: {lines[-1]}")
