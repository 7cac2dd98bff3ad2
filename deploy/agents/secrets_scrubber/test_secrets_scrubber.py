"""Tests of secrets-and-pii-scrubber. Keys that a scanner would take for real ones are put together at run time."""

import base64
import json
import zlib
from typing import Any

import pytest
from agentnexus_agent import AgentError

from ..samples import run, source
from . import checksums
from .agent import scrub
from .spans import entropy

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def kinds(text: str, **options: Any) -> list[str]:
    """The kinds found, in the order of the text."""
    return [one["kind"] for one in scrub(text, **options)["findings"]]


def masked(text: str, **options: Any) -> str:
    return str(scrub(text, **options)["masked_text"])


def github_token(body: str) -> str:
    check, written = zlib.crc32(body.encode()), ""
    while check:
        check, rest = divmod(check, 62)
        written = BASE62[rest] + written
    return f"ghp_{body}{written.rjust(6, '0')}"


def web_token(algorithm: str) -> str:
    def part(document: dict[str, str]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    return f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part({'sub': '12345', 'name': 'X'})}.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return scrub(**source("secrets_scrubber").manifest["example_input"])


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (checksums.luhn, "4111 1111 1111 1111", "4111 1111 1111 1112"),
        (checksums.luhn, "378282246310005", "378282246310006"),
        (checksums.iban, "DE89 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
        (checksums.iban, "GB29NWBK60161331926819", "GB29NWBK6016133192681"),
        (checksums.iban, "FR1420041010050500013M02606", "XX1420041010050500013M02606"),
        (checksums.base58check, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"),
        (checksums.base58check, "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "0J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
        (
            checksums.bech32,
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        ),
        (checksums.social_security_number, "536-22-8734", "666-22-8734"),
        (checksums.social_security_number, "001-01-0001", "900-01-0001"),
        (checksums.french_number, "2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
        (checksums.spanish_number, "12345678Z", "12345678A"),
        (checksums.spanish_number, "X1234567L", "X1234567M"),
        (checksums.italian_code, "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
        (checksums.ean13, "756.9217.0769.85", "756.9217.0769.84"),
        (checksums.brazilian_number, "529.982.247-25", "529.982.247-26"),
        (checksums.german_tax_number, "86095742719", "86095742718"),
        (checksums.dutch_number, "111222333", "111222334"),
        (checksums.health_number, "943 476 5919", "943 476 5918"),
        (checksums.github_token, github_token("a" * 30), "ghp_" + "a" * 36),
    ],
)
def test_check_digits(check: Any, right: str, wrong: str) -> None:
    assert check(right) is True
    assert check(wrong) is False


def test_entropy_in_bits_per_character() -> None:
    assert (entropy(""), entropy("aaaa"), entropy("abcd")) == (0.0, 0.0, 2.0)


FOUND = [
    ("mail me at a.b+c@mail.example.co.uk.", "e-mail address", "a.b+c@mail.example.co.uk"),
    ("call +44 20 7946 0958 now", "telephone number", "+44 20 7946 0958"),
    ("my number is (415) 555-0132.", "telephone number", "(415) 555-0132"),
    ("Tel.: 030 1234567", "telephone number", "030 1234567"),
    ("card 4111-1111-1111-1111 ok", "payment card", "4111-1111-1111-1111"),
    ("amex 378282246310005", "payment card", "378282246310005"),
    ("CVV: 123", "card security code", "123"),
    ("pay to DE89370400440532013000 please", "bank account", "DE89370400440532013000"),
    ("IBAN GB29 NWBK 6016 1331 9268 19 and more", "bank account", "GB29 NWBK 6016 1331 9268 19"),
    ("account no 12345678", "bank account", "12345678"),
    ("SSN 536-22-8734", "national identity number", "536-22-8734"),
    ("NI number AB 12 34 56 C", "national identity number", "AB 12 34 56 C"),
    ("Steuer-ID 86 095 742 719", "national identity number", "86 095 742 719"),
    ("CPF 529.982.247-25", "national identity number", "529.982.247-25"),
    ("passport no. C01X00T47", "identity document", "C01X00T47"),
    ("born on 14 July 1986 in Kiel", "date of birth", "14 July 1986"),
    ("geb. am 03.04.1975", "date of birth", "03.04.1975"),
    ("at 221B Baker Street, London NW1 6XE", "postal address", "221B Baker Street, London NW1 6XE"),
    ("Lindenstraße 24, 10969 Berlin", "postal address", "Lindenstraße 24, 10969 Berlin"),
    ("12 rue de la Paix, 75002 Paris", "postal address", "12 rue de la Paix, 75002 Paris"),
    ("Dear Anna,\nhello", "name", "Anna"),
    ("ask Dr. Pieter van der Berg", "name", "Pieter van der Berg"),
    ("name: Ada Lovelace", "name", "Ada Lovelace"),
    ("Best regards,\nAda Lovelace", "name", "Ada Lovelace"),
    ("from 198.51.100.7 today", "IP address", "198.51.100.7"),
    ("from 2001:db8::8a2e:370:7334 today", "IP address", "2001:db8::8a2e:370:7334"),
    ("mac 00:1A:2B:3C:4D:5E", "hardware address", "00:1A:2B:3C:4D:5E"),
    ("to 0x52908400098527886E0F7030069857D2E4169EE7", "wallet address", "0x52908400098527886E0F7030069857D2E4169EE7"),
    ("to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "wallet address", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("private key 0x" + "4f3c" * 16, "wallet private key", "0x" + "4f3c" * 16),
    (
        "seed phrase: legal winner thank year wave sausage worth useful legal winner thank yellow",
        "recovery phrase",
        "legal winner thank year wave sausage worth useful legal winner thank yellow",
    ),
    ("key " + "AKIA" + "IOSFODNN7" + "EXAMPLE", "API key", "AKIA" + "IOSFODNN7" + "EXAMPLE"),
    ("t " + github_token("Ab3dEf9hIjKlMnOpQrStUvWxYz0123"), "API key", github_token("Ab3dEf9hIjKlMnOpQrStUvWxYz0123")),
    ("s " + "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc", "API key", "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc"),
    ("t " + "xox" + "b-123456789012-abcDEF123", "API key", "xox" + "b-123456789012-abcDEF123"),
    ("x " + web_token("HS256"), "access token", web_token("HS256")),
    ("password = 'Tr0ub4dor&3'", "password", "Tr0ub4dor&3"),
    ('{"db_password": "correct-horse-9"}', "password", "correct-horse-9"),
    ("the password is hunter2!x", "password", "hunter2!x"),
    ("API_KEY=abcd1234efgh", "API key", "abcd1234efgh"),
    ("postgres://u:s3cr3t@db:5432/x", "connection password", "s3cr3t"),
    ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "access token", "dXNlcjpwYXNzd29yZA=="),
    ("GET /x?token=9fA3kQ7zL2", "access token", "9fA3kQ7zL2"),
    ("blob Zk3J8vQ1xT6bN0mW5cR9yH2pL7dG4sA=", "possible secret", "Zk3J8vQ1xT6bN0mW5cR9yH2pL7dG4sA="),
]


@pytest.mark.parametrize(("text", "kind", "value"), FOUND, ids=[f"{n} {case[1]}" for n, case in enumerate(FOUND)])
def test_what_is_found_is_masked_whole(text: str, kind: str, value: str) -> None:
    result = scrub(text, with_originals=True)

    assert [(one["kind"]) for one in result["findings"]] == [kind]
    assert [one["original"] for one in result["originals"]] == [value]
    assert value not in result["masked_text"]
    assert result["masked_text"] == text.replace(value, result["originals"][0]["placeholder"])


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112 is late",
        "order number 4000123412341236",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "version 4.18.2.1 and v1.2.3.4",
        "127.0.0.1 and 0.0.0.0 and ::1",
        "999.1.1.1",
        "PASSWORD=${SECRET} and password: ******** and token=<your-token>",
        'password = os.environ["X"]; secret = config.secret; api_key = get_key()',
        "the password is wrong, the token is expired, the secret is not set",
        "max_tokens: 4096, tokens: 128000",
        "the secretary: Monday at ten",
        "on 2024-03-01 at 10:15, 1 234 567 people, 12.50 EUR, pages 100-120",
        "SSN 000-12-3456 and 666-12-3456",
        "IBAN DE00 0000 0000 0000 0000 00",
        "Dear Sir or Madam,\nHi all,\nHello World!",
        "eyJub3QiOiJhIHRva2VuIn0 alone",
        "https://example.com/a/very/long/path/with/many/segments/that/is/no/secret",
        "the quick brown fox jumped over these lazy dogs while we were watching them all day",
        "ISBN 978-3-16-148410-0 and EAN 4006381333931",
    ],
)
def test_what_only_looks_like_it_is_let_through(text: str) -> None:
    assert masked(text) == text


def test_a_private_key_is_masked_as_a_block_even_without_its_end() -> None:
    head = "-----BEGIN " + "RSA PRIVATE KEY-----"
    body = "\n".join(["MIIEpAIBAAKCAQEA" + "x" * 40] * 5)
    tail = "-----END " + "RSA PRIVATE KEY-----"

    assert masked(f"a\n{head}\n{body}\n{tail}\nb") == "a\n[PRIVATE_KEY_1]\nb"
    assert "MIIE" not in masked(f"a\n{head}\n{body}")


def test_the_same_value_has_the_same_placeholder_however_it_is_written() -> None:
    text = "+49 30 123456, again +49 (30) 123456; x@y.org, X@Y.ORG, z@y.org"

    assert masked(text) == "[PHONE_1], again [PHONE_1]; [EMAIL_1], [EMAIL_1], [EMAIL_2]"


def test_a_person_is_one_placeholder_by_full_name_first_name_and_surname() -> None:
    text = "Name: Ada Lovelace\nAda wrote it. Lovelace signed. Adam did not."

    assert masked(text) == "Name: [NAME_1]\n[NAME_1] wrote it. [NAME_1] signed. Adam did not."


def test_a_name_in_an_address_is_found_in_the_text() -> None:
    assert masked("ada.lovelace@example.org said Ada Lovelace") == "[EMAIL_1] said [NAME_1]"


def test_partial_masking_shows_what_its_owner_knows_already() -> None:
    text = "anna@mail.example.org, 4111 1111 1111 1111, Name: Ada Lovelace, password=Secret!99x"

    assert masked(text, style="partial") == "a•••@m•••.org, •••• •••• •••• 1111, Name: A. L., password=[password]"


def test_blank_masking_hides_the_length_of_long_values() -> None:
    assert masked("a@b.org and someone.with.a.long.name@example.org", style="blank") == "███████ and ████████████"


def test_own_terms_are_masked_and_kept_values_are_not() -> None:
    text = "Project Aurora, project aurora, Auroral; help@example.org, me@example.org"

    found = masked(text, also_mask=["Project Aurora"], keep_values=["HELP@example.org"])

    assert found == "[TERM_1], [TERM_1], Auroral; help@example.org, [EMAIL_1]"


def test_kinds_can_be_kept() -> None:
    assert kinds("a@b.org 198.51.100.7", keep_kinds=["IP address"]) == ["e-mail address"]


def test_a_lower_confidence_finds_more() -> None:
    text = "0170/1234567 rang twice"

    assert (kinds(text, minimum_confidence=0.8), kinds(text, minimum_confidence=0.6)) == ([], ["telephone number"])


def test_lines_and_columns_are_those_of_editors() -> None:
    found = scrub("first\n  a@b.org\n")["findings"]

    assert [(one["line"], one["column"]) for one in found] == [(2, 3)]


def test_originals_are_returned_only_when_asked_for_and_restore_the_text() -> None:
    text = "Mail a@b.org or c@d.org, a@b.org again."

    result = scrub(text, with_originals=True)
    restored = result["masked_text"]
    for one in result["originals"]:
        restored = restored.replace(one["placeholder"], one["original"])

    assert restored == text
    assert scrub(text)["originals"] == []
    assert scrub(text, style="partial", with_originals=True)["originals"] == []


def test_neither_log_nor_report_nor_previews_show_a_secret() -> None:
    document = source("secrets_scrubber").manifest["example_input"]
    secrets = [
        "Tr0ub4dor",
        "winter-Is-late",
        "7MDENG",
        "lyjWDarj",
        "SflKxwRJ",
        "legal winner",
        "4111 1111",
        "536-22",
        "C01X00",
    ]

    ran = run("secrets_scrubber", document)

    shown = "\n".join(ran.log) + ran.stdout.decode()
    assert [secret for secret in secrets if secret in shown] == []


def test_the_example_is_masked_everywhere(example: dict[str, Any]) -> None:
    counts = {one["kind"]: (one["count"], one["distinct"]) for one in example["kinds"]}

    assert counts == {
        "API key": (3, 3),
        "access token": (1, 1),
        "password": (1, 1),
        "connection password": (1, 1),
        "recovery phrase": (1, 1),
        "payment card": (1, 1),
        "card security code": (1, 1),
        "national identity number": (1, 1),
        "identity document": (1, 1),
        "bank account": (1, 1),
        "date of birth": (1, 1),
        "e-mail address": (1, 1),
        "telephone number": (3, 3),
        "postal address": (1, 1),
        "name": (6, 3),
        "term of yours": (1, 1),
        "wallet address": (1, 1),
        "IP address": (1, 1),
    }
    assert example["overview"]["left_after_masking"] == 0
    assert example["overview"]["verdict"].startswith("Not fit to share")


def test_the_example_keeps_what_is_harmless(example: dict[str, Any]) -> None:
    for harmless in (
        "${SESSION_SECRET}",
        "4000123412341236 (that is the order number",
        "9fceb02d0ae598e95dc970b74767f19372d61af8",
        "version 4.18.2.1",
        "support@hosting-example.com",
        "limit=10",
    ):
        assert harmless in example["masked_text"]


def test_clean_text_is_returned_as_it_is() -> None:
    result = scrub("Nothing to see here.\nReally.")

    assert (result["masked_text"], result["overview"]["verdict"]) == (
        "Nothing to see here.\nReally.",
        "Nothing sensitive was found.",
    )


def test_masking_twice_changes_nothing_more(example: dict[str, Any]) -> None:
    again = scrub(example["masked_text"], keep_values=["support@hosting-example.com"])

    assert again["masked_text"] == example["masked_text"]


@pytest.mark.parametrize("text", ["", " \n\t", "\x00", "\ufeff"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(AgentError, match="The text is empty"):
        scrub(text)
