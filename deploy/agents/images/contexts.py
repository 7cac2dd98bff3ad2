"""What goes into a build: the files, their hash, and the archive the engine is sent."""

import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from docker.utils.build import exclude_paths

FORMAT = b"agentnexus-image-1\n"  # part of every hash: change it to have every image rebuilt


@dataclass(frozen=True, slots=True)
class Context:
    """The files of a build, as `docker build` with the folder's .dockerignore would send them."""

    folder: Path
    dockerfile: str
    names: tuple[str, ...]

    def digest(self, *inputs: str) -> str:
        """A SHA-256 in hex over every file's name, mode and content, and over `inputs`."""
        total = hashlib.sha256(FORMAT)
        for value in inputs:
            total.update(hashlib.sha256(value.encode()).digest())
        for name in self.names:
            path = self.folder / name
            executable = b"x" if path.stat().st_mode & 0o100 else b"-"
            total.update(hashlib.sha256(name.encode()).digest() + executable)
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()

    def archive(self) -> bytes:
        """A tar archive that depends on the files' names, modes and content only."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name in self.names:
                path = self.folder / name
                member = tarfile.TarInfo(name)
                member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                content = path.read_bytes()
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return buffer.getvalue()


def read_context(folder: Path, dockerfile: str = "Dockerfile") -> Context:
    """The context of `folder`. Links are left out: a build must not depend on what lies outside its folder."""
    ignore = folder / ".dockerignore"
    patterns = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    rules = [line.strip() for line in patterns if line.strip() and not line.startswith("#")]
    found = exclude_paths(str(folder), [*rules, "**/__pycache__", "**/*.pyc"], dockerfile=dockerfile)
    files = {name for name in found if (folder / name).is_file() and not (folder / name).is_symlink()}
    return Context(folder, dockerfile, tuple(sorted(files | {dockerfile})))
