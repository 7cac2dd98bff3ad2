"""The tags and filters that every page uses."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import ContentFile
from django.template import Context, Template

from config.avatars import avatar
from config.icons import ICONS
from config.templatetags import site

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "for ever"),
        (1, "1 second"),
        (90, "90 seconds"),
        (300, "5 minutes"),
        (3_600, "1 hour"),
        (86_400, "1 day"),
        (30 * 86_400, "30 days"),
        (365 * 86_400, "1 year"),
        (90_000, "25 hours"),
    ],
)
def test_durations_use_the_largest_unit_that_is_exact(seconds: int, shown: str) -> None:
    assert site.duration(seconds) == shown


def test_terms_of_access() -> None:
    assert site.access_term(86_400) == "for 1 day"
    assert site.access_term(0) == "for ever"


@pytest.mark.parametrize(
    ("value", "shown"), [(512, "512 B"), (1024, "1 KB"), (512 * 1024 * 1024, "512 MB"), (3 * 1024**3, "3 GB")]
)
def test_sizes(value: int, shown: str) -> None:
    assert site.bytes_size(value) == shown


def test_addresses_are_shortened_and_short_texts_are_not() -> None:
    assert site.short_address("0x5FbDB2315678afecb367f032d93F642f64180aa3") == "0x5FbD…0aa3"
    assert site.short_address("nobody") == "nobody"


def test_times_are_exact_for_scripts_and_readable_without() -> None:
    moment = datetime(2026, 11, 24, 8, 5, tzinfo=UTC)
    shown = "24 Nov 2026, 08:05 UTC"
    assert site.clock(moment) == (
        f'<time datetime="2026-11-24T08:05:00+00:00" title="{shown}" data-clock>{shown}</time>'
    )
    assert "data-ago" in site.moment(moment)
    assert site.moment(None) == site.clock(None) == "-"


def test_an_avatar_is_the_same_every_time_and_another_for_another_name() -> None:
    assert avatar("text-digest") == avatar("text-digest")
    assert len({avatar(f"agent-{number}") for number in range(200)}) == 200
    assert "style=" not in avatar("text-digest")


def test_a_slug_cannot_break_out_of_its_avatar() -> None:
    assert "<script" not in avatar("<script>alert(1)</script>")


def test_every_icon_that_a_template_names_exists() -> None:
    named = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([^"]+)"', path.read_text())
    }
    assert named <= set(ICONS)


def test_json_cannot_end_the_script_element_it_stands_in() -> None:
    assert site.json_text('{"a": "</script>&"}') == '{"a": "\\u003c/script\\u003e\\u0026"}'


class TestImportMap:
    """Modules import each other by plain paths; hashed static files need the map."""

    def render(self) -> str:
        return Template("{% load site %}{% import_map %}").render(Context({"CSP_NONCE": "abc"}))

    def test_without_hashed_files_there_is_none(self) -> None:
        assert self.render() == ""

    def test_it_leads_from_each_module_to_its_hashed_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage = ManifestStaticFilesStorage(location=tmp_path, base_url="/static/")
        for name in ("site/dom.js", "wallets/api.js", "admin/js/core.js", "site/app.css"):
            storage.save(name, ContentFile(b"/* x */"))
        list(
            storage.post_process({name: (storage, name) for name in ("site/dom.js", "wallets/api.js", "site/app.css")})
        )
        monkeypatch.setattr(site, "staticfiles_storage", storage)
        monkeypatch.setattr(storage, "url", lambda name: f"/static/{storage.hashed_files[name]}")
        shown = self.render()
        assert 'type="importmap" nonce="abc"' in shown
        assert re.search(r'"/static/site/dom\.js": "/static/site/dom\.[0-9a-f]{12}\.js"', shown)
        assert re.search(r'"/static/wallets/api\.js": "/static/wallets/api\.[0-9a-f]{12}\.js"', shown)
        assert "app.css" not in shown
        assert "admin" not in shown
