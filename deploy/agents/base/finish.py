"""Run once while the base image is built: make the SDK importable, compile the standard library, add the user."""

import compileall
import re
import site
import sys
import sysconfig
from pathlib import Path
from py_compile import PycInvalidationMode

SDK = "/usr/local/lib/agentnexus"
USER = 10001


def main() -> None:
    """Finish the image. Everything is idempotent, so an image built on this one is no harm."""
    packages = Path(site.getsitepackages()[0])
    packages.mkdir(parents=True, exist_ok=True)
    (packages / "agentnexus.pth").write_text(SDK + "\n", encoding="ascii")
    Path("/agent").mkdir(exist_ok=True)
    for path, line in (
        ("/etc/passwd", f"agent:x:{USER}:{USER}:agent:/agent:/usr/sbin/nologin\n"),
        ("/etc/group", f"agent:x:{USER}:\n"),
    ):
        accounts = Path(path)
        if f":{USER}:" not in accounts.read_text(encoding="utf-8"):
            accounts.write_text(accounts.read_text(encoding="utf-8") + line, encoding="utf-8")
    # A container's root is read-only, so what is not compiled now is compiled again in every single run.
    # Hash-based files are never checked against their source: no stat calls, and no dependence on file times.
    for folder in {sysconfig.get_path("stdlib"), SDK}:
        compiled = compileall.compile_dir(
            folder,
            quiet=1,
            workers=0,
            rx=re.compile(r"/(test|tests|idlelib|lib2to3|turtledemo|ensurepip|tkinter|site-packages)/"),
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )
        if not compiled:
            sys.exit(f"{folder} cannot be compiled")


if __name__ == "__main__":
    main()
