"""Secrets of an agent: files below /run/secrets, blacked out in what it writes."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from agentnexus_agent.local.errors import UsageError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def given(options: list[str], file: Path | None) -> dict[str, str]:
    """The values of `--secret NAME=VALUE`, of `--secret NAME` (from the environment) and of a file with lines
    NAME=VALUE. Raises UsageError, which shows no value."""
    found: dict[str, str] = {}
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"The file of secrets {file} cannot be read.") from None
        options = [*(line for line in map(str.strip, lines) if line and not line.startswith("#")), *options]
    for option in options:
        name, equals, value = option.partition("=")
        if not _NAME.fullmatch(name):
            raise UsageError("--secret: give NAME=VALUE, or NAME for what the environment has under that name.")
        if not equals and name not in os.environ:
            raise UsageError(f"--secret {name}: there is no such variable in the environment.")
        found[name] = value if equals else os.environ[name]
        if not found[name]:
            raise UsageError(f"--secret {name}: it is empty.")
    return found


def write(secrets: Mapping[str, str], folder: Path) -> None:
    """A file for each."""
    for name, value in secrets.items():
        (folder / name).write_text(value, encoding="utf-8")
        (folder / name).chmod(0o444)


def black_out(raw: bytes, secrets: Mapping[str, str]) -> bytes:
    """Without the secrets as they are. The platform looks for other forms of them, too."""
    for name, value in sorted(secrets.items(), key=lambda one: -len(one[1])):
        if len(value) >= 8:
            raw = raw.replace(value.encode(), f"[{name}]".encode())
    return raw
