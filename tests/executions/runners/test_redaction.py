"""No secret reaches a log or a result, however it is written."""

import base64
import json
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions.runners.redaction import Redactor
from executions.runners.transcript import STDERR, STDOUT, Transcript
from tests.executions.runners.recording import LIMITS

KEY = 'sk-live_"Ü/+abc123'
PEM = "-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0BAQ\nshort\nAAAA1111BBBB2222\n-----END KEY-----\n"


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.upper(),
        json.dumps({"k": KEY}),
        json.dumps({"k": KEY}, ensure_ascii=False),
        quote(KEY, safe=""),
        base64.b64encode(KEY.encode()).decode(),
        base64.urlsafe_b64encode(KEY.encode()).decode(),
        KEY.encode().hex(),
        f"x{KEY}{KEY}y",
        *(base64.b64encode(f"{before}:{KEY} and more".encode()).decode() for before in ("u", "us", "use")),
    ],
)
def test_forms(written: str) -> None:
    shown = Redactor({"API_KEY": KEY})(written.encode()).decode()
    assert "[API_KEY]" in shown
    for part in ("abc123", KEY, "c2stbGl2Z"):
        assert part.lower() not in shown.lower()


def shown(source: str, written: bytes, secret: str, **limits: int) -> list[str]:
    lines: list[str] = []
    transcript = Transcript(
        replace(LIMITS, **limits),
        lambda source, text, at: lines.append(text),
        lambda text: None,
        redact=Redactor({"S": secret}),
    )
    transcript.feed(source, written)
    transcript.close()
    return lines


@pytest.mark.parametrize("source", [STDOUT, STDERR])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_no_part_shows_where_a_line_breaks_off(source: str, end: bytes) -> None:
    """Names are shorter than secrets: blacking out many of them moves the end of what is known into view."""
    secret = "s3cr3t-value-0123456789"
    for written in (secret.encode() * 90_000 + end, f"it is {secret[:-1]}".encode()):
        (line,) = shown(source, written, secret, log_line=1_000, output=1_024 * 10)
        assert "s3cr" not in line


def test_lines_of_a_secret_of_several_lines() -> None:
    redact = Redactor({"PEM": PEM})
    assert redact(b"MIIBVgIBADANBgkqhkiG9w0BAQ and short") == b"[PEM] and short"
    assert redact(b"nothing of it") == b"nothing of it"


@given(st.integers(1, 40), st.integers(0, 60))
def test_chunks_and_cuts_show_no_part(size: int, before: int) -> None:
    """A secret split over chunks, and one that lies where a long line is cut."""
    secret = "s3cr3t-value-0123456789"
    lines: list[str] = []
    limits = replace(LIMITS, log_line=50)
    transcript = Transcript(
        limits, lambda source, text, at: lines.append(text), lambda text: None, redact=Redactor({"S": secret})
    )
    text = (b"." * before + secret.encode() + b"!" * 80 + b"\n") * 2
    for start in range(0, len(text), size):
        transcript.feed(STDERR, text[start : start + size])
    transcript.close()
    assert len(lines) == 2
    for line in lines:
        shown = line.partition(" … ")[0]
        assert not any(secret[index : index + 4] in shown for index in range(len(secret) - 4))


def test_the_result_is_redacted_too() -> None:
    transcript = Transcript(LIMITS, lambda *_: None, lambda _: None, redact=Redactor({"S": "s3cr3t-value"}))
    transcript.feed(STDOUT, b'{"a": "s3cr3t-value", "b": 1}\n')
    assert transcript.close() == b'{"a": "[S]", "b": 1}'
