"""Networks and keys from the settings, and what `manage.py check` says of them."""

import pickle
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from chain.checks import check_networks
from chain.errors import MissingKeyError, UnknownNetworkError
from chain.keys import PUBLIC_TEST_ADDRESSES, LocalSigner, get_signer, use_signer
from chain.networks import all_networks, default_network, get_network, network, network_by_chain_id

PUBLIC_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
PRIVATE_KEY = "0x" + "4c" * 32


def base(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Base",
        "chain_id": 8453,
        "rpc_urls": ["https://rpc.example/secret-key"],
        "confirmations": 5,
        "block_time": 2,
        "explorer_url": "https://basescan.org/",
        "usdc": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
        **changes,
    }


def test_only_networks_with_an_endpoint_are_offered(settings: Settings) -> None:
    settings.NETWORKS = {**settings.NETWORKS, "base": base(), "base-sepolia": base(chain_id=84532, rpc_urls=[])}
    assert {item.slug for item in all_networks()} == {"local", "base"}
    assert network_by_chain_id(8453).slug == "base"
    with pytest.raises(UnknownNetworkError, match="no network 'base-sepolia' here"):
        get_network("base-sepolia")
    with pytest.raises(UnknownNetworkError, match="chain id 84532"):
        network_by_chain_id(84532)


def test_the_default_network_is_the_local_chain_here() -> None:
    item = default_network()
    assert (item.slug, item.chain_id, item.is_local, item.native_symbol) == ("local", 31337, True, "ETH")
    assert item.transaction_url("0x1") == ""


def test_explorer_links_and_a_repr_without_the_providers_key() -> None:
    item = network("base", base())
    assert item.transaction_url("0xab") == "https://basescan.org/tx/0xab"
    assert item.address_url("0xcd") == "https://basescan.org/address/0xcd"
    assert "secret" not in repr(item)
    assert not item.is_local


def test_an_incomplete_network_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"NETWORKS\['x'\] is not complete"):
        network("x", {"name": "X"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"chain_id": 31337}, ["chain.E002"]),
        ({"chain_id": 0}, ["chain.E004"]),
        ({"block_time": 0}, ["chain.E004"]),
        ({"usdc": "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"}, ["chain.E005"]),
        ({"rpc_urls": ["ftp://x"]}, ["chain.E006"]),
        ({"rpc_urls": ["http://node.example.org"]}, ["chain.W001"]),
        ({"rpc_urls": ["http://10-0-0-1"]}, []),
        ({"confirmations": 0}, ["chain.W002"]),
        ({"name": None, "chain_id": "x"}, ["chain.E001"]),
    ],
)
def test_system_checks_find_each_mistake(settings: Settings, changes: dict[str, Any], expected: list[str]) -> None:
    settings.NETWORKS = {"local": settings.NETWORKS["local"], "base": base(**changes)}
    settings.KEYS = {"GRANT_KEY": PRIVATE_KEY}
    assert [message.id for message in check_networks()] == expected


def test_a_default_network_without_endpoint_is_an_error(settings: Settings) -> None:
    settings.DEFAULT_NETWORK = "nowhere"
    assert [message.id for message in check_networks()] == ["chain.E003"]


def test_public_keys_beside_a_real_network_are_warned_of(settings: Settings) -> None:
    settings.NETWORKS = {"local": settings.NETWORKS["local"], "base": base()}
    (message,) = check_networks()
    assert message.id == "chain.W003"
    assert PUBLIC_KEY not in message.msg


def test_the_settings_of_this_run_are_clean() -> None:
    assert check_networks() == []


# ---------------------------------------------------------------- keys


def test_public_keys_sign_on_the_local_chain_only(settings: Settings) -> None:
    assert get_signer("DEPLOYER_KEY", default_network()).address in PUBLIC_TEST_ADDRESSES
    with pytest.raises(MissingKeyError, match="everybody knows"):
        get_signer("DEPLOYER_KEY", network("base", base()))


@pytest.mark.parametrize("value", ["", "0x12", "not a key", "0x" + "00" * 32, "0x" + "ff" * 32])
def test_a_bad_key_is_named_but_never_shown(settings: Settings, value: str) -> None:
    settings.KEYS = {"GRANT_KEY": value}
    with pytest.raises(MissingKeyError, match="GRANT_KEY is not") as caught:
        get_signer("GRANT_KEY", default_network())
    assert not value or value not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_signer_shows_its_address_and_nothing_else() -> None:
    signer = LocalSigner(PRIVATE_KEY)
    for text in (repr(signer), str(signer), f"{signer!r}"):
        assert text == f"LocalSigner({signer.address})"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(signer)
    assert not hasattr(signer, "__dict__")


def test_a_signature_recovers_to_the_signer() -> None:
    from eth_account import Account

    signer = LocalSigner(PRIVATE_KEY)
    digest = bytes(range(32))
    signature = signer.sign_digest(digest)
    assert (len(signature), signature[64] in (27, 28)) == (65, True)
    assert Account._recover_hash(digest, signature=signature) == signer.address


def test_a_key_service_can_stand_in_for_a_key(settings: Settings) -> None:
    settings.KEYS = {}
    use_signer("GRANT_KEY", lambda: LocalSigner(PRIVATE_KEY))
    try:
        assert get_signer("GRANT_KEY", default_network()).address == LocalSigner(PRIVATE_KEY).address
    finally:
        use_signer("GRANT_KEY", None)
    with pytest.raises(MissingKeyError):
        get_signer("GRANT_KEY", default_network())
