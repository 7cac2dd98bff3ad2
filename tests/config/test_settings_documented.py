"""docs/settings.md and the settings name the same environment variables."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READ = re.compile(r"""env\.\w+\(\s*f?["']([A-Z][A-Z0-9_]+)["']""")


def test_every_variable_read_is_documented() -> None:
    # given
    settings = "\n".join(path.read_text() for path in (ROOT / "config" / "settings").glob("*.py"))
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (ROOT / "docs" / "settings.md").read_text()))

    # when
    read = set(READ.findall(settings))

    # then
    assert len(read) > 30
    assert read - documented == set()
