"""Sign-in by account contracts: deployed (ERC-1271), not deployed yet (ERC-6492), misbehaving, and without a node."""

import socket
from collections.abc import Callable, Iterator

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from pytest_django.fixtures import Settings

from chain.networks import default_network
from chain.rpc import pool_of
from tests.account_fixtures import ApiFor, sign_siwe
from tests.wallets.sign_in import ME, NONCE, WALLETS, Browser
from wallets.models import User
from wallets.signin import signatures

pytestmark = pytest.mark.django_db
Place = Callable[[str], str]

MAGIC = "1626ba7e"
WRAPPER = "6492" * 16
# Deployed on every chain, and on anvil from the start: creates what follows 32 bytes of salt (CREATE2).
DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
SALT = bytes(32)


def account_code(owner: str) -> str:
    """Runtime code of an account that accepts what `owner` signed, in the layout of its one function's arguments."""
    return (
        "600435 5f 52"  # hash
        "60a435 5f 1a 6020 52"  # v
        "6040 6064 6040 37"  # r and s
        "6020 6080 6080 5f 6001 5a fa 50"  # ecrecover
        "6080 51"
        f"73{owner[2:]} 14"  # the owner?
        f"63{MAGIC} 60e0 1b 02"  # times the magic value
        "5f 52 6020 5f f3"
    ).replace(" ", "")


def init_code(runtime: str) -> bytes:
    """Creation code that leaves `runtime`."""
    size = len(runtime) // 2
    return bytes.fromhex(f"60{size:02x}600a5f3960{size:02x}5ff3" + runtime)


def counterfactual(owner: str) -> tuple[str, bytes]:
    """Where the deployer puts the owner's account, and what to call it with."""
    code = init_code(account_code(owner))
    digest = keccak(b"\xff" + bytes.fromhex(DEPLOYER[2:]) + SALT + keccak(code))
    return to_checksum_address(digest[12:]), SALT + code


def wrapped(factory: str, calldata: bytes, inner: str) -> str:
    return "0x" + encode(["address", "bytes", "bytes"], [factory, calldata, bytes.fromhex(inner[2:])]).hex() + WRAPPER


def code_at(address: str) -> str:
    return str(pool_of(default_network()).call("eth_getCode", address, "latest"))


@pytest.fixture
def place() -> Iterator[Place]:
    """`place(code) -> address`: runtime code on the chain, taken away at the end."""
    placed: list[str] = []

    def put(code: str) -> str:
        address: str = Account.create().address
        pool_of(default_network()).call("anvil_setCode", address, "0x" + code.replace(" ", ""))
        placed.append(address)
        return address

    yield put
    for address in placed:
        pool_of(default_network()).call("anvil_setCode", address, "0x")


class SmartBrowser(Browser):
    """A browser whose wallet is an account contract with an owner's key."""

    def __init__(self, address: str, owner: LocalAccount) -> None:
        super().__init__(owner)
        self.address = address

    def ask_as_contract(self) -> str:
        return self.ask(address=self.address)


def refusal(browser: Browser, message: str, signature: str) -> tuple[int, str]:
    response = browser.answer(message, signature)
    return response.status_code, response.json().get("code", "signed in")


REFUSED = (401, "siwe_signature_invalid")


def test_a_deployed_account_signs_in_by_its_owners_key(place: Place) -> None:
    # given an account contract on the chain
    owner = Account.create()
    address = place(account_code(owner.address))
    browser = SmartBrowser(address, owner)
    # when its owner signs
    response = browser.answer(browser.ask_as_contract())
    # then the account, not the owner, is signed in
    assert response.status_code == 200
    assert response.json()["user"]["primary_address"] == address
    assert browser.client.get(ME).status_code == 200


def test_a_deployed_account_refuses_another_key_and_another_text(place: Place) -> None:
    owner = Account.create()
    browser = SmartBrowser(place(account_code(owner.address)), owner)
    message = browser.ask_as_contract()
    assert refusal(browser, message, sign_siwe(Account.create(), message)) == REFUSED
    signature_of_other = sign_siwe(owner, browser.ask_as_contract())
    assert refusal(browser, browser.ask_as_contract(), signature_of_other) == REFUSED


def test_an_account_that_is_not_deployed_yet_signs_in_and_stays_undeployed() -> None:
    # given the address an account will have
    owner = Account.create()
    address, calldata = counterfactual(owner.address)
    browser = SmartBrowser(address, owner)
    message = browser.ask_as_contract()
    # when its owner signs, wrapped with the way to make it
    response = browser.answer(message, wrapped(DEPLOYER, calldata, sign_siwe(owner, message)))
    # then it is signed in, and the chain is as before
    assert response.status_code == 200
    assert response.json()["user"]["primary_address"] == address
    assert code_at(address) == "0x"


def test_a_wrapped_signature_also_serves_after_deployment(place: Place) -> None:
    owner = Account.create()
    browser = SmartBrowser(place(account_code(owner.address)), owner)
    message = browser.ask_as_contract()
    assert browser.answer(message, wrapped(DEPLOYER, b"", sign_siwe(owner, message))).status_code == 200


def test_what_is_wrapped_wrongly_is_refused() -> None:
    owner, other = Account.create(), Account.create()
    address, calldata = counterfactual(owner.address)
    _, others_calldata = counterfactual(other.address)
    browser = SmartBrowser(address, owner)
    attempts: dict[str, Callable[[str], str]] = {
        "not wrapped": lambda s: s,
        "another factory": lambda s: wrapped(Account.create().address, calldata, s),
        "another account's creation": lambda s: wrapped(DEPLOYER, others_calldata, s),
        "a creation that fails": lambda s: wrapped(DEPLOYER, b"\xfe", s),
        "no factory": lambda s: wrapped("0x" + "00" * 20, calldata, s),
        "wrapped twice": lambda s: wrapped(DEPLOYER, calldata, wrapped(DEPLOYER, calldata, s)),
        "only the mark": lambda s: "0x" + WRAPPER,
        "the mark and a word": lambda s: "0x" + "00" * 32 + WRAPPER,
        "offsets beyond the end": lambda s: "0x" + "00" * 31 + "01" + "ff" * 64 + WRAPPER,
        "a huge length": lambda s: "0x" + "00" * 32 + f"{0x60:064x}{0x80:064x}" + "ff" * 32 + WRAPPER,
        "a cut wrapper": lambda s: wrapped(DEPLOYER, calldata, s)[:100] + WRAPPER,
        "an address of 32 bytes": lambda s: "0x" + "ff" * 32 + wrapped(DEPLOYER, calldata, s)[66:],
        "half a byte": lambda s: wrapped(DEPLOYER, calldata, s) + "0",
        "the mark in the middle": lambda s: wrapped(DEPLOYER, calldata, s) + "00",
    }
    for name, attempt in attempts.items():
        message = browser.ask_as_contract()
        assert refusal(browser, message, attempt(sign_siwe(owner, message))) == REFUSED, name
    assert not User.objects.exists()


def test_the_signature_of_another_key_is_refused_for_an_account_that_is_not_deployed() -> None:
    owner, thief = Account.create(), Account.create()
    address, calldata = counterfactual(owner.address)
    browser = SmartBrowser(address, owner)
    message = browser.ask_as_contract()
    assert refusal(browser, message, wrapped(DEPLOYER, calldata, sign_siwe(thief, message))) == REFUSED


def test_a_plain_key_gains_nothing_by_a_wrapper() -> None:
    # given somebody else's plain address
    thief, victim = Account.create(), Account.create()
    browser = SmartBrowser(victim.address, thief)
    message = browser.ask_as_contract()
    _, calldata = counterfactual(thief.address)
    assert refusal(browser, message, wrapped(DEPLOYER, calldata, sign_siwe(thief, message))) == REFUSED


MISBEHAVING = {
    "reverts": "5f5ffd",
    "reverts with the magic value": f"63{MAGIC}60e01b5f5260205ffd",
    "breaks off": "fe",
    "loops": "5b5f56",
    "answers nothing": "5f5ff3",
    "answers too short": f"63{MAGIC}60e01b5f5260045ff3",
    "answers the magic value at the wrong end": f"63{MAGIC}5f5260205ff3",
    "answers more than the magic value": f"63{MAGIC}60e01b6001175f5260205ff3",
    "answers true": "60015f5260205ff3",
    "answers hugely": "6207a1205ff3",
    "writes": f"60015f5563{MAGIC}60e01b5f5260205ff3",
    "destroys itself": f"33ff63{MAGIC}60e01b5f5260205ff3",
}


@pytest.mark.parametrize("name", MISBEHAVING)
def test_an_account_that_misbehaves_signs_nobody_in(name: str, place: Place) -> None:
    owner = Account.create()
    browser = SmartBrowser(place(MISBEHAVING[name]), owner)
    assert refusal(browser, browser.ask_as_contract(), "0x" + "11" * 65) == REFUSED
    assert refusal(browser, browser.ask_as_contract(), "0x") == REFUSED
    assert not User.objects.exists()


def test_an_account_that_accepts_everything_signs_in_as_itself_only(place: Place) -> None:
    address = place(f"63{MAGIC}60e01b5f5260205ff3")
    browser = SmartBrowser(address, Account.create())
    assert browser.answer(browser.ask_as_contract(), "0x").json()["user"]["primary_address"] == address


def test_an_account_that_accepts_everything_from_a_zero_origin_does_not_meet_one(place: Place) -> None:
    # given an account that takes a zero origin for a simulation: origin == 0, times the magic value
    browser = SmartBrowser(place(f"3215 63{MAGIC} 60e01b 02 5f52 6020 5f f3"), Account.create())
    assert refusal(browser, browser.ask_as_contract(), "0x") == REFUSED


def test_an_account_on_another_chain_is_not_the_account_here(place: Place, settings: Settings) -> None:
    # given two networks, and a contract at this address on the one that is not the default
    owner = Account.create()
    browser = SmartBrowser(place(account_code(owner.address)), owner)
    settings.NETWORKS = {**settings.NETWORKS, "other": {**settings.NETWORKS["local"], "chain_id": 777}}
    settings.DEFAULT_NETWORK = "other"
    message = browser.ask(address=browser.address, chain_id=31337)
    # when it signs there, then that proves nothing for the account of the same address here
    assert refusal(browser, message, sign_siwe(owner, message)) == REFUSED
    # but a key is the same on every chain
    plain = Browser(owner)
    assert plain.answer(plain.ask(chain_id=31337)).status_code == 200


@pytest.fixture
def _fresh_pools() -> Iterator[None]:
    signatures._pool.cache_clear()
    yield
    signatures._pool.cache_clear()


def nodes(settings: Settings, url: str, **changes: object) -> None:
    settings.NETWORKS = {"local": {**settings.NETWORKS["local"], "rpc_urls": [url], **changes}}


@pytest.mark.usefixtures("_fresh_pools")
def test_without_a_node_accounts_cannot_sign_in_but_keys_can(settings: Settings) -> None:
    nodes(settings, "http://127.0.0.1:1")
    owner = Account.create()
    address, calldata = counterfactual(owner.address)
    browser = SmartBrowser(address, owner)
    message = browser.ask_as_contract()
    signature = wrapped(DEPLOYER, calldata, sign_siwe(owner, message))
    assert refusal(browser, message, signature) == (503, "sign_in_unavailable")
    # the attempt used up its nonce
    assert refusal(browser, message, signature) == (401, "siwe_nonce_unknown")
    assert Browser(owner).sign_in()["user"]["primary_address"] == owner.address


@pytest.mark.usefixtures("_fresh_pools")
def test_a_node_that_never_answers_is_given_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "RPC_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nodes(settings, f"http://127.0.0.1:{silent.getsockname()[1]}")
        browser = SmartBrowser(Account.create().address, Account.create())
        assert refusal(browser, browser.ask_as_contract(), "0x1234") == (503, "sign_in_unavailable")


@pytest.mark.usefixtures("_fresh_pools")
def test_a_node_of_another_chain_is_not_believed(place: Place, settings: Settings) -> None:
    address = place(f"63{MAGIC}60e01b5f5260205ff3")
    nodes(settings, settings.NETWORKS["local"]["rpc_urls"][0], chain_id=777)
    browser = SmartBrowser(address, Account.create())
    assert refusal(browser, browser.ask_as_contract(), "0x") == (503, "sign_in_unavailable")


def test_a_smart_account_is_linked_like_any_wallet(user: User, api: ApiFor) -> None:
    owner = Account.create()
    address, calldata = counterfactual(owner.address)
    client = api(user)
    message = client.post(NONCE, {"address": address, "purpose": "link"}).json()["message"]
    signature = wrapped(DEPLOYER, calldata, sign_siwe(owner, message))
    response = client.post(WALLETS, {"message": message, "signature": signature})
    assert (response.status_code, response.json()["address"]) == (201, address)
    assert user.addresses() == [user.primary_address, address]
