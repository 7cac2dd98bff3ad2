"""What a content is, whatever its name says, and what may stand for what."""

import io
import time
import zipfile

import pytest

from executions.files.media import clean_name, fits, look

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def archive(name: str) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as zipped:
        zipped.writestr(zipfile.ZipInfo(name), "x" * 100)  # not the time of the collection, which would be in test ids
    return raw.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"a,b\n1,2\n", "orders.csv", "text/csv"),
        (b"a,b\n1,2\n", "orders.CSV", "text/csv"),
        (b"a,b\n1,2\n", "orders", "text/plain"),
        (b"BM is a text, MZ too", "notes.md", "text/markdown"),
        ("\ufeffGrüße".encode(), "x.txt", "text/plain"),
        (b"", "empty.csv", "text/csv"),
        (PNG, "orders.csv", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 40, "x", "image/jpeg"),
        (b"GIF89a" + b"\0" * 20, "x.csv", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 20, "x", "image/webp"),
        (b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 20, "x", "audio/wav"),
        (b"BM\x36\0\0\0" + b"\0" * 40, "x", "image/bmp"),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 40, "x", "video/mp4"),
        (b"SQLite format 3\0" + b"\0" * 40, "x", "application/vnd.sqlite3"),
        (b"%PDF-1.7\nonly text", "x.txt", "application/pdf"),
        (b"\n <!-- x --> <!DOCTYPE html><p>", "x.csv", "text/html"),
        (b"<svg xmlns='x'/>", "x.png", "image/svg+xml"),
        (b"\xef\xbb\xbf<svg onload=x>", "x.png", "image/svg+xml"),
        (b"GIF89a<script>alert(1)</script>", "x.gif", "text/plain"),
        ("<html>".encode("utf-16"), "x.png", "application/octet-stream"),
        (b"<?xml version='1.0'?><svg/>", "x.png", "image/svg+xml"),
        (b"<?xml version='1.0'?><a/>", "a.csv", "application/xml"),
        (b"a,b\0\n", "x.csv", "application/octet-stream"),
        ("ä".encode("latin-1") * 9, "x.csv", "application/octet-stream"),
        (archive("a.txt"), "x.csv", "application/zip"),
        (
            archive("word/document.xml"),
            "x.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
    ],
)
def test_kinds(content: bytes, name: str, kind: str) -> None:
    # a character may be cut where two pieces meet
    pieces = [content[at : at + 3] for at in range(0, len(content), 3)]
    seen = look(pieces, name)
    assert (seen.media_type, seen.size) == (kind, len(content))


def test_a_beginning_made_to_be_slow_is_not() -> None:
    began = time.process_time()
    look([b"<!---->" * 1_100 + b"<", b"<!--" * 2_000], "x")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("declared", "actual", "fit"),
    [
        ("", "image/png", True),
        ("application/octet-stream", "image/png", True),
        ("image/*", "image/png", True),
        ("image/*", "text/csv", False),
        ("text/csv", "text/plain", True),
        ("text/csv", "application/json", True),
        ("text/csv", "text/html", False),
        ("text/csv", "image/png", False),
        ("text/html", "text/plain", False),
        ("text/plain", "text/html", True),
        ("application/json", "text/plain", True),
        ("application/pdf", "text/plain", False),
        ("image/jpg", "image/jpeg", True),
        ("application/sql", "text/plain", True),
        ("model/x-of-our-own", "application/octet-stream", True),
        ("model/x-of-our-own", "image/png", False),
        ("application/pdf", "application/octet-stream", False),
        ("image/svg+xml", "text/plain", False),
    ],
)
def test_what_may_stand_for_what(declared: str, actual: str, fit: bool) -> None:
    assert fits(declared, actual) is fit


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("orders.csv", "orders.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a b.csv", "a b.csv"),
        ("a\n\x1b[31mb\u202egnp.csv", "a[31mbgnp.csv"),
        ("...", "file"),
        ("a\0b\ud800.png\n", "ab.png"),
        ("\u200b\u2060", "file"),
        ("e\u0301" * 200, "\u00e9" * 150),
        ("x" * 300 + ".csv", "x" * 146 + ".csv"),
        ("Grüße 日本.csv", "Grüße 日本.csv"),
    ],
)
def test_names(sent: str, kept: str) -> None:
    assert clean_name(sent) == kept
