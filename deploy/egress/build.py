"""Build the egress proxy's image: `python3 -m deploy.egress.build`. Rebuilt only when what it is made from changed."""

import shutil
import sys
import tempfile
from pathlib import Path

from deploy.agents.base import packages, standin
from deploy.agents.images.contexts import read_context
from deploy.agents.images.engine import CONTENT_LABEL, Engine
from deploy.agents.images.errors import ImageBuildError
from deploy.agents.images.lock import one_at_a_time

FOLDER = Path(__file__).parent
REPOSITORY = "agentnexus/egress-proxy"
STANDIN_REPOSITORY = "agentnexus/squid-standin"
DEBIAN = "debian:bookworm-slim"
WANTED = ("base-files", "busybox-static", "squid", "util-linux")
# Squid's helpers for passwords and the packages' own scripts, none of which is used; and perl, which they want.
UNNEEDED = packages.UNNEEDED | {
    *("adduser", "init-system-helpers", "libdbi-perl", "libfile-find-rule-perl", "logrotate", "lsb-base", "netbase"),
    *("perl", "sgml-base", "squid-langpack", "sysvinit-utils", "usrmerge", "util-linux-extra"),
}
FOLDERS = ("bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "var/log/squid", "var/spool/squid", "var/tmp")
ACCOUNTS = "root:x:0:0:root:/root:/bin/sh\nproxy:x:13:13:proxy:/:/usr/sbin/nologin\n"
GROUPS = "root:x:0:\nproxy:x:13:\n"


def build() -> str:
    """The image's name. Raises ImageBuildError with a sentence that says what to do."""
    engine = Engine.connect()
    context = read_context(FOLDER)
    content = context.digest()
    name = f"{REPOSITORY}:{content[:12]}"
    with one_at_a_time():
        image = engine.find_built(name, content)
        if image is None:
            image = engine.build(context, name, {"BASE_IMAGE": _base(engine)}, {CONTENT_LABEL: content})
        engine.tag(image, REPOSITORY, "latest")
    return name


def _base(engine: Engine) -> str:
    if engine.find(DEBIAN) is not None:
        return DEBIAN
    reason = engine.pull(DEBIAN)
    if reason is None:
        return DEBIAN
    try:
        name = f"{STANDIN_REPOSITORY}:{read_context(FOLDER, 'build.py').digest()[:12]}"
        if engine.find(name) is None:
            chosen = packages.with_dependencies(WANTED, UNNEEDED)
            with tempfile.TemporaryDirectory(prefix="agentnexus-squid-") as folder:
                archive = standin.make_root(Path(folder), chosen, _configure)
                engine.load_root(archive, STANDIN_REPOSITORY, name.rpartition(":")[2], standin.CHANGES[:1])
    except ImageBuildError as error:
        raise ImageBuildError(f"{DEBIAN} cannot be pulled ({reason}), and a stand-in cannot be made. {error}") from None
    return name


def _configure(root: Path) -> None:
    for unneeded in standin.DROPPED:
        shutil.rmtree(root / unneeded, ignore_errors=True)
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / "bin/sh").unlink(missing_ok=True)
    (root / "bin/sh").symlink_to("busybox")
    (root / "etc/passwd").write_text(ACCOUNTS, encoding="ascii")
    (root / "etc/group").write_text(GROUPS, encoding="ascii")


def main() -> int:
    """The command. Returns the exit code."""
    try:
        print(f"{build()} ready")
    except (ImageBuildError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
