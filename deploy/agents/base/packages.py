"""Which Debian packages make a Python image."""

import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Mapping

from deploy.agents.images.errors import ImageBuildError

WANTED = ("base-files", "netbase", "media-types", "tzdata", "ca-certificates", "busybox-static", "python3")
# Needed to install or configure packages, which nobody does in a finished image.
UNNEEDED = frozenset(
    {"awk", "debconf", "debconf-2.0", "dpkg", "mime-support", "openssl", "perl-base", "readline-common", "tar"}
)
OLDEST_PYTHON = 11  # the minor version of Python 3 that the SDK asks for

Dependencies = Mapping[str, tuple[str, ...]]


def choose() -> tuple[str, ...]:
    """The packages of a Python image on this distribution, base-files first.

    Raises ImageBuildError without apt and dpkg, without package lists, and where Python is older than 3.11.
    """
    packages = with_dependencies(WANTED, UNNEEDED)
    pythons = [int(match[1]) for name in packages if (match := re.fullmatch(r"python3\.(\d+)", name))]
    if not pythons:
        raise ImageBuildError("apt knows no python3 package: run `apt-get update` as root, then try again.")
    if max(pythons) < OLDEST_PYTHON:
        raise ImageBuildError(
            f"This distribution has Python 3.{max(pythons)}, and agents need 3.{OLDEST_PYTHON} or newer."
        )
    return packages


def with_dependencies(wanted: Iterable[str], unneeded: Collection[str]) -> tuple[str, ...]:
    """`wanted` and all they need on this distribution, without `unneeded`.

    Raises ImageBuildError without apt and dpkg, and without package lists.
    """
    missing = [program for program in ("apt-cache", "apt-get", "dpkg", "tar") if shutil.which(program) is None]
    if missing:
        raise ImageBuildError(f"This machine has no {missing[0]}: a stand-in can be made on Debian and Ubuntu only.")
    names = tuple(wanted)
    return closure(_dependencies(names), names, unneeded)


def closure(dependencies: Dependencies, wanted: Iterable[str], unneeded: Collection[str] = UNNEEDED) -> tuple[str, ...]:
    """`wanted` and all they depend on, without what a finished image has no use for, in order of discovery."""
    found: dict[str, None] = {}
    queue = list(wanted)
    while queue:
        name = queue.pop(0)
        if name in found or name in unneeded:
            continue
        found[name] = None
        queue.extend(dependencies.get(name, ()))
    return tuple(found)


def parse_depends(text: str) -> Dependencies:
    """The dependencies of each package in the output of `apt-cache depends --recurse`.

    Of alternatives (`|Depends:`) the first is taken; virtual packages (`<name>`) are left out.
    """
    dependencies: dict[str, tuple[str, ...]] = {}
    package = ""
    in_alternative = False
    for line in text.splitlines():
        if line and not line[0].isspace():
            package, in_alternative = line.split(":")[0], False
            dependencies[package] = ()
            continue
        match = re.fullmatch(r"\s(\s|\|)(?:Pre)?Depends: (\S+)", line)
        if match is None:
            continue
        first, name = not in_alternative, match[2].split(":")[0]
        in_alternative = match[1] == "|"
        if first and not name.startswith("<"):
            dependencies[package] += (name,)
    return dependencies


def _dependencies(wanted: Iterable[str]) -> Dependencies:
    answer = subprocess.run(
        [
            "apt-cache",
            "depends",
            "--recurse",
            "--no-recommends",
            "--no-suggests",
            "--no-conflicts",
            "--no-breaks",
            "--no-replaces",
            "--no-enhances",
            *wanted,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        reason = answer.stderr.strip().splitlines()
        raise ImageBuildError(
            f"apt cannot list the packages of an image ({reason[-1] if reason else 'no reason given'}): "
            "run `apt-get update` as root, then try again."
        )
    return parse_depends(answer.stdout)
