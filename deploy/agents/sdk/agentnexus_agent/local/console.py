"""What the author sees: the log as it comes, the result, and a sentence at the end."""

import json
import re
import sys
import threading
from collections.abc import Mapping
from typing import Any

from agentnexus_agent.local.limits import Limits
from agentnexus_agent.local.secrets import black_out

_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE = 16 * 1024


class Console:
    """The log and all notes go to stderr, so that stdout has the result alone."""

    def __init__(self, limits: Limits, secrets: Mapping[str, str] | None = None) -> None:
        self._secrets = secrets or {}
        self._limits = limits
        self._lock = threading.Lock()
        self._bytes = self._lines = 0

    def line(self, raw: bytes) -> None:
        """A line of the agent's log."""
        raw = black_out(raw, self._secrets)
        text = raw[:_LINE].decode("utf-8", "replace") + (" …" if len(raw) > _LINE else "")
        with self._lock:
            before = self._full
            self._bytes += min(len(raw), _LINE)
            self._lines += 1
            sys.stderr.write(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _SEQUENCES.sub("", text.rstrip("\r"))) + "\n")
            if self._full and not before:
                sys.stderr.write("agentnexus-agent: the platform keeps no more of a run's log than this\n")
            sys.stderr.flush()

    def note(self, sentence: str) -> None:
        """Something this command has to say."""
        with self._lock:
            sys.stderr.write(f"agentnexus-agent: {sentence}\n")
            sys.stderr.flush()

    def result(self, document: Any) -> None:
        """The result, for people."""
        text = json.dumps(document, ensure_ascii=False, indent=2)
        sys.stdout.buffer.write(black_out(text.encode("utf-8", "replace"), self._secrets) + b"\n")
        sys.stdout.flush()

    @property
    def _full(self) -> bool:
        return self._bytes > self._limits.log or self._lines > self._limits.log_lines
