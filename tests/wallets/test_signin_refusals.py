"""Every way a sign-in must fail, each with its code, a sentence, 401, and nobody signed in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from pytest_django.fixtures import Settings

from tests.account_fixtures import sign_siwe
from tests.wallets.sign_in import ME, VERIFY, WALLETS, Browser, with_line
from wallets.errors import SignInError
from wallets.models import LinkedWallet, User
from wallets.signin import siwe
from wallets.signin.message import MAX_LINE_LENGTH, MAX_MESSAGE_LENGTH

pytestmark = pytest.mark.django_db

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True, slots=True)
class Forgery:
    """A change to an issued message. The wallet signs the changed text, so only the change itself is wrong."""

    name: str
    code: str
    change: Callable[[str], str]


def line(start: str, replacement: str | None) -> Callable[[str], str]:
    return lambda message: with_line(message, start, replacement)


def after(start: str, addition: str) -> Callable[[str], str]:
    def change(message: str) -> str:
        found = next(text for text in message.split("\n") if text.startswith(start))
        return with_line(message, start, f"{found}\n{addition}")

    return change


def at(**shift: float) -> str:
    """A time in the message's form, away from now."""
    return (datetime.now(UTC) + timedelta(**shift)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def issued(**shift: float) -> Callable[[str], str]:
    return lambda message: with_line(message, "Issued At:", f"Issued At: {at(**shift)}")


def version_last(message: str) -> str:
    return with_line(message, "Version:", None) + "\nVersion: 1"


def header(old: str, new: str) -> Callable[[str], str]:
    return lambda message: message.replace(HEADER, HEADER.replace(old, new))


HEADER = "localhost:8000 wants you to sign in with your Ethereum account:"
LINK_STATEMENT = "Link this wallet to my AgentNexus account. This costs nothing and moves no funds."
EXPIRY = "Expiration Time:"
FORGERIES = [
    # domain
    Forgery("other domain", "siwe_domain_mismatch", header("localhost", "evil.example")),
    Forgery("other port", "siwe_domain_mismatch", header("8000", "8001")),
    Forgery("no port", "siwe_domain_mismatch", header(":8000", "")),
    Forgery("our domain as a subdomain", "siwe_domain_mismatch", header("localhost", "localhost.evil.example")),
    Forgery("our domain as user info", "siwe_domain_mismatch", header("localhost:8000", "localhost:8000@evil.example")),
    Forgery("upper-case domain", "siwe_domain_mismatch", header("localhost", "LOCALHOST")),
    Forgery("other scheme", "siwe_domain_mismatch", lambda m: "https://" + m),
    Forgery("no domain", "siwe_malformed", lambda m: m.replace("localhost:8000 wants", " wants")),
    # URI
    Forgery("other URI", "siwe_uri_mismatch", line("URI:", "URI: http://evil.example")),
    Forgery("URI of another site of ours", "siwe_uri_mismatch", line("URI:", "URI: http://127.0.0.1:8000")),
    Forgery("URI with another scheme", "siwe_uri_mismatch", line("URI:", "URI: https://localhost:8000")),
    Forgery("URI with user info", "siwe_uri_mismatch", line("URI:", "URI: http://localhost:8000@evil.example")),
    Forgery("URI with a path", "siwe_uri_mismatch", line("URI:", "URI: http://localhost:8000/elsewhere")),
    Forgery("URI that is none", "siwe_malformed", line("URI:", "URI: localhost")),
    Forgery("no URI", "siwe_malformed", line("URI:", None)),
    # statement
    Forgery("other statement", "siwe_statement_mismatch", line("Sign in to", "Give away everything.")),
    Forgery("statement of linking", "siwe_statement_mismatch", line("Sign in to", LINK_STATEMENT)),
    Forgery("no statement", "siwe_statement_mismatch", line("Sign in to", None)),
    Forgery("statement of two lines", "siwe_malformed", after("Sign in to", "And more.")),
    # version, chain, nonce
    Forgery("version 2", "siwe_malformed", line("Version:", "Version: 2")),
    Forgery("no version", "siwe_malformed", line("Version:", None)),
    Forgery("chain we do not know", "siwe_chain_not_allowed", line("Chain ID:", "Chain ID: 1")),
    Forgery("chain 0", "siwe_chain_not_allowed", line("Chain ID:", "Chain ID: 0")),
    Forgery("chain beyond every integer", "siwe_chain_not_allowed", line("Chain ID:", "Chain ID: " + "9" * 80)),
    Forgery("negative chain", "siwe_malformed", line("Chain ID:", "Chain ID: -31337")),
    Forgery("chain in hex", "siwe_malformed", line("Chain ID:", "Chain ID: 0x7a69")),
    Forgery("no chain", "siwe_malformed", line("Chain ID:", None)),
    Forgery("invented nonce", "siwe_nonce_unknown", line("Nonce:", "Nonce: " + "0" * 32)),
    Forgery("short nonce", "siwe_malformed", line("Nonce:", "Nonce: 1234567")),
    Forgery("nonce with a wildcard", "siwe_malformed", line("Nonce:", "Nonce: ********")),
    Forgery("no nonce", "siwe_malformed", line("Nonce:", None)),
    # times
    Forgery("expired", "siwe_expired", line(EXPIRY, f"{EXPIRY} {at(seconds=-1)}")),
    Forgery("expires before it is issued", "siwe_expired", line(EXPIRY, f"{EXPIRY} 2020-01-01T00:00:00Z")),
    Forgery("no expiration", "siwe_expiration_missing", line(EXPIRY, None)),
    Forgery("valid for a day", "siwe_lifetime_too_long", lambda m: with_line(m, EXPIRY, f"{EXPIRY} {at(days=1)}")),
    Forgery("issued long ago", "siwe_expired", issued(minutes=-10)),
    Forgery("issued in the future", "siwe_not_yet_valid", issued(minutes=3)),
    Forgery("not valid before later", "siwe_not_yet_valid", lambda m: m + f"\nNot Before: {at(minutes=2)}"),
    Forgery("time without zone", "siwe_malformed", line("Issued At:", "Issued At: 2026-11-24T22:00:00")),
    Forgery("month 13", "siwe_malformed", line("Issued At:", "Issued At: 2026-13-01T00:00:00Z")),
    Forgery("time as a number", "siwe_malformed", line("Issued At:", "Issued At: 1764028800")),
    Forgery("no issue time", "siwe_malformed", line("Issued At:", None)),
    # more than asked for
    Forgery("resources", "siwe_unexpected_field", lambda m: m + "\nResources:\n- https://evil.example/permission"),
    Forgery("delegation in a resource", "siwe_unexpected_field", lambda m: m + "\nResources:\n- urn:recap:eyJhdHQi"),
    Forgery("request id", "siwe_unexpected_field", lambda m: m + "\nRequest ID: 7"),
    # form
    Forgery("trailing newline", "siwe_malformed", lambda m: m + "\n"),
    Forgery("leading space", "siwe_malformed", lambda m: " " + m),
    Forgery("CRLF lines", "siwe_malformed", lambda m: m.replace("\n", "\r\n")),
    Forgery("fields in another order", "siwe_malformed", version_last),
    Forgery("two nonces", "siwe_malformed", after("Nonce:", "Nonce: " + "0" * 32)),
    Forgery("not a message", "siwe_malformed", lambda m: "hello"),
    Forgery("a JSON message", "siwe_malformed", lambda m: '{"domain": "localhost:8000"}'),
    Forgery("letters that look alike", "siwe_malformed", lambda m: m.replace("localhost", "lоcalhost", 1)),  # noqa: RUF001  a Cyrillic o
    Forgery("huge", "siwe_too_large", lambda m: m + "\nResources:" + "\n- https://example.org" * 1000),
    Forgery("just too long", "siwe_too_large", lambda m: m + "\n" * (MAX_MESSAGE_LENGTH + 1 - len(m))),
    Forgery("a line that is too long", "siwe_too_large", line("Nonce:", f"Nonce: {'a' * MAX_LINE_LENGTH}")),
    Forgery("letters without structure", "siwe_malformed", lambda m: "\n".join(["a" * MAX_LINE_LENGTH] * 7)),
]  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_forged_message_is_refused_with_the_code_of_what_is_wrong(forgery: Forgery) -> None:
    # given a browser with a challenge, and a wallet that signs the forged text
    browser = Browser()
    message = browser.ask()
    forged = forgery.change(message)
    assert forged != message

    # when it is sent
    response = browser.answer(forged)

    # then it is refused for what is wrong with it, in a sentence, and nothing came of it
    assert (response.status_code, response.json()["code"]) == (401, forgery.code)
    assert response["Content-Type"] == "application/problem+json"
    assert len(response.json()["detail"]) > 20
    assert browser.client.get(ME).status_code == 401
    assert not User.objects.exists()


def test_a_lower_case_address_in_the_message_is_refused() -> None:
    browser = Browser()
    message = browser.ask()
    response = browser.answer(message.replace(browser.account.address, browser.account.address.lower()))
    assert (response.status_code, response.json()["code"]) == (401, "siwe_malformed")


def test_an_address_with_one_capital_wrong_is_refused() -> None:
    browser = Browser()
    address = browser.account.address
    position = next(index for index, letter in enumerate(address) if letter in "abcdefABCDEF" and index > 1)
    typo = address[:position] + address[position].swapcase() + address[position + 1 :]
    response = browser.answer(browser.ask().replace(address, typo))
    assert (response.status_code, response.json()["code"]) == (401, "siwe_malformed")


def test_a_challenge_for_one_address_does_not_sign_in_another() -> None:
    # given a challenge issued for somebody else's address
    browser, other = Browser(), Account.create()
    message = browser.ask(address=other.address)
    # when this wallet puts its own address in and signs
    response = browser.answer(message.replace(other.address, browser.account.address))
    assert (response.status_code, response.json()["code"]) == (401, "siwe_address_mismatch")


def test_a_challenge_for_one_chain_does_not_serve_on_another(settings: Settings) -> None:
    settings.NETWORKS = {**settings.NETWORKS, "second": {**settings.NETWORKS["local"], "chain_id": 777}}
    browser = Browser()
    response = browser.answer(with_line(browser.ask(), "Chain ID:", "Chain ID: 777"))
    assert (response.status_code, response.json()["code"]) == (401, "siwe_chain_not_allowed")


def upper_half(signature: str) -> str:
    s = ORDER - int(signature[66:130], 16)
    v = 55 - int(signature[130:], 16)
    return f"{signature[:66]}{s:064x}{v:02x}"


SIGNATURES: dict[str, Callable[[str], str]] = {
    "one bit changed": lambda s: s[:20] + f"{int(s[20], 16) ^ 1:x}" + s[21:],
    "of another recovery id": lambda s: s[:130] + ("1c" if s[130:] == "1b" else "1b"),
    "with an impossible recovery id": lambda s: s[:130] + "1d",
    "with a transaction's recovery id (EIP-155)": lambda s: s[:130] + f"{int(s[130:], 16) + 8:02x}",
    "with a recovery id of 255": lambda s: s[:130] + "ff",
    "with s in the upper half": upper_half,
    "with r and s zero": lambda s: "0x" + "00" * 64 + "1b",
    "with r beyond the order": lambda s: "0x" + "ff" * 32 + s[66:],
    "one byte short": lambda s: s[:-2],
    "one byte long": lambda s: s + "00",
    "half a byte long": lambda s: s + "0",
    "without 0x": lambda s: s[2:],
    "not hexadecimal": lambda s: "0x" + "zz" * 65,
    "only 0x": lambda s: "0x",
    "in full-width digits": lambda s: "0x" + "１" * 130,  # noqa: RUF001
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_wrong_signature_is_refused(name: str) -> None:
    browser = Browser()
    message = browser.ask()
    response = browser.answer(message, SIGNATURES[name](sign_siwe(browser.account, message)))
    assert (response.status_code, response.json()["code"]) == (401, "siwe_signature_invalid")
    assert not User.objects.exists()


def test_recovery_ids_as_hardware_wallets_write_them_are_accepted() -> None:
    browser = Browser()
    message = browser.ask()
    signature = sign_siwe(browser.account, message)
    assert browser.answer(message, f"{signature[:130]}{int(signature[130:], 16) - 27:02x}").status_code == 200


def test_a_huge_signature_is_refused_unread() -> None:
    browser = Browser()
    response = browser.answer(browser.ask(), "0x" + "ab" * 100_000)
    assert (response.status_code, response.json()["code"]) == (401, "siwe_too_large")


def test_a_signature_of_another_wallet_is_refused() -> None:
    browser = Browser()
    message = browser.ask()
    response = browser.answer(message, sign_siwe(Account.create(), message))
    assert (response.status_code, response.json()["code"]) == (401, "siwe_signature_invalid")


def test_a_signature_over_another_text_is_refused() -> None:
    browser = Browser()
    signature = sign_siwe(browser.account, browser.ask())
    response = browser.answer(browser.ask(), signature)
    assert (response.status_code, response.json()["code"]) == (401, "siwe_signature_invalid")


def test_a_signature_over_the_bare_hash_is_refused() -> None:
    browser = Browser()
    message = browser.ask()
    signed = browser.account.sign_message(encode_defunct(primitive=message.encode().rjust(700, b"\0")))
    response = browser.answer(message, "0x" + bytes(signed.signature).hex())
    assert (response.status_code, response.json()["code"]) == (401, "siwe_signature_invalid")


def test_a_wrong_signature_costs_the_nonce() -> None:
    browser = Browser()
    message = browser.ask()
    assert browser.answer(message, "0x" + "11" * 65).json()["code"] == "siwe_signature_invalid"
    assert browser.answer(message).json()["code"] == "siwe_nonce_unknown"


def test_the_same_message_does_not_sign_in_twice() -> None:
    browser = Browser()
    message = browser.ask()
    assert browser.answer(message, mode="token").status_code == 200
    response = browser.answer(message, mode="token")
    assert (response.status_code, response.json()["code"]) == (401, "siwe_nonce_unknown")


def test_another_browser_cannot_use_the_nonce_nor_use_it_up() -> None:
    # given a message signed in one browser
    browser, thief = Browser(), Browser()
    thief.ask()
    message = browser.ask()
    signature = sign_siwe(browser.account, message)
    # when another browser sends it first
    stolen = thief.answer(message, signature)
    # then it gets nothing, and the first browser still signs in
    assert (stolen.status_code, stolen.json()["code"]) == (401, "siwe_nonce_unknown")
    assert browser.answer(message, signature).status_code == 200


def test_a_client_without_the_binder_cookie_cannot_use_the_nonce() -> None:
    browser, bare = Browser(), Browser()
    message = browser.ask()
    response = bare.answer(message, sign_siwe(browser.account, message), mode="token")
    assert (response.status_code, response.json()["code"]) == (401, "siwe_nonce_unknown")


@pytest.mark.parametrize("cookie", ["", "x", "x" * 42, "x" * 44, "x" * 5000])
def test_a_binder_cookie_of_another_form_binds_nothing(cookie: str) -> None:
    browser = Browser()
    message = browser.ask()
    browser.client.cookies["siwe"] = cookie
    assert browser.answer(message, mode="token").json()["code"] == "siwe_nonce_unknown"


@pytest.mark.parametrize("cookie", ["x", "x" * 42, "x" * 44])
def test_a_binder_cookie_of_another_form_is_replaced(cookie: str) -> None:
    browser = Browser()
    browser.client.cookies["siwe"] = cookie
    browser.ask()
    assert len(browser.client.cookies["siwe"].value) == 43


def test_a_nonce_is_forgotten_after_its_time(settings: Settings) -> None:
    settings.SIWE_NONCE_SECONDS = 1
    browser = Browser()
    message = browser.ask()
    deadline = datetime.now(UTC) + timedelta(seconds=1.1)
    while datetime.now(UTC) < deadline:
        pass
    assert browser.answer(message).json()["code"] == "siwe_expired"


def test_a_message_for_linking_does_not_sign_in() -> None:
    browser = Browser()
    browser.sign_in()
    message = browser.ask(purpose="link")
    response = browser.answer(message)
    assert (response.status_code, response.json()["code"]) == (401, "siwe_statement_mismatch")


def test_a_message_for_sign_in_does_not_link() -> None:
    browser, other = Browser(), Account.create()
    browser.sign_in()
    message = browser.ask(address=other.address)
    response = browser.post(WALLETS, {"message": message, "signature": sign_siwe(other, message)})
    assert (response.status_code, response.json()["code"]) == (401, "siwe_statement_mismatch")
    assert LinkedWallet.objects.count() == 1


def test_a_link_nonce_of_one_account_does_not_serve_another() -> None:
    # given a link message issued to one account and signed by its new wallet
    mine, thief, extra = Browser(), Browser(), Account.create()
    mine.sign_in()
    thief.sign_in()
    message = mine.ask(address=extra.address, purpose="link")
    # when another account sends it
    response = thief.post(WALLETS, {"message": message, "signature": sign_siwe(extra, message)})
    # then nothing is linked
    assert (response.status_code, response.json()["code"]) == (401, "siwe_nonce_unknown")


def test_linking_needs_a_signed_in_user() -> None:
    browser = Browser()
    response = browser.client.post("/api/v1/auth/siwe/nonce", {"address": browser.account.address, "purpose": "link"})
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/message"),
        ({"message": "x"}, "/signature"),
        ({"message": "", "signature": "0x"}, "/message"),
        ({"message": {"a": 1}, "signature": "0x"}, "/message"),
        ({"message": "with a \x00 byte", "signature": "0x"}, "/message"),
        ({"message": "x", "signature": "0x", "mode": "admin"}, "/mode"),
    ],
)
def test_a_body_of_another_shape_is_named_member_by_member(body: dict[str, object], pointer: str) -> None:
    response = Browser().client.post(VERIFY, body)
    assert response.status_code == 400
    assert pointer in [error["pointer"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    "address",
    ["", "0x", "vitalik.eth", "0x" + "g" * 40, "0x" + "1" * 39, "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA9604"],
)
def test_no_challenge_for_what_is_not_an_address(address: str) -> None:
    response = Browser().client.post("/api/v1/auth/siwe/nonce", {"address": address})
    assert response.status_code in (400, 422)
    assert response.json()["errors"][0]["pointer"] == "/address"


def test_no_challenge_for_an_address_with_a_wrong_checksum() -> None:
    response = Browser().client.post(
        "/api/v1/auth/siwe/nonce", {"address": "0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045"}
    )
    assert (response.status_code, response.json()["code"]) == (422, "invalid_address")


def test_no_challenge_for_a_chain_that_is_not_offered() -> None:
    browser = Browser()
    response = browser.client.post("/api/v1/auth/siwe/nonce", {"address": browser.account.address, "chain_id": 1})
    assert (response.status_code, response.json()["code"]) == (401, "siwe_chain_not_allowed")


def test_a_message_for_a_nonce_the_server_never_issued_names_the_nonce_even_with_a_good_signature() -> None:
    browser = Browser()
    message = browser.ask()
    signature = sign_siwe(browser.account, message)
    with pytest.raises(SignInError) as caught:
        siwe.verify(message, signature, "browser:somebody-else")
    assert caught.value.code == "siwe_nonce_unknown"


def test_a_nonce_serves_only_the_purpose_it_was_issued_for() -> None:
    # given a nonce for sign-in, whose holder rewrites the message into one for linking
    account = Account.create()
    challenge = siwe.issue_nonce(account.address, 31337, "same-binder")
    message = with_line(challenge.message, "Sign in to", LINK_STATEMENT)
    with pytest.raises(SignInError) as caught:
        siwe.verify(message, sign_siwe(account, message), "same-binder", purpose=siwe.Purpose.LINK)
    assert caught.value.code == "siwe_nonce_unknown"
