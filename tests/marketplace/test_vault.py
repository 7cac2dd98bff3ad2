"""Secrets and registry passwords: encrypted at rest, written and never read back."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from marketplace.errors import InvalidSecretError, NotYoursError, VaultError
from marketplace.models import Agent, AgentSecret, RegistryCredential
from marketplace.vault import operations
from tests.factories.marketplace import AgentFactory
from wallets.models import User

pytestmark = pytest.mark.django_db
VALUE = "sk-live-0123456789-never-shown"


@pytest.fixture
def agent() -> Agent:
    made: Agent = AgentFactory.create()
    return made


def test_nothing_readable_is_stored(agent: Agent) -> None:
    operations.set_secret(agent, agent.creator, "API_KEY", VALUE)
    operations.set_credential(agent.creator, "https://GHCR.io/", "me", VALUE)
    with connection.cursor() as cursor:
        for table in ("marketplace_agentsecret", "marketplace_registrycredential"):
            cursor.execute(f"SELECT t::text, encode(sealed, 'escape') FROM {table} t")  # noqa: S608
            assert VALUE not in str(cursor.fetchall())
    assert operations.secrets_of(agent) == {"API_KEY": VALUE}
    found = operations.credential_for(agent.creator_id, "ghcr.io/you/agent@sha256:" + "a" * 64)
    assert found is not None
    assert (found.username, found.password) == ("me", VALUE)
    assert VALUE not in repr(found)
    assert operations.credential_for(agent.creator_id, "other.io/you/agent@sha256:" + "a" * 64) is None


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("api_key", VALUE, "name"),
        ("../X", VALUE, "name"),
        ("A" * 65, VALUE, "name"),
        ("KEY\n", VALUE, "name"),
        ("KEY", "short", "value"),
        ("KEY", "x" * 8193, "value"),
        ("KEY", "with\0zero-byte", "value"),
    ],
)
def test_refused(agent: Agent, name: str, value: str, field: str) -> None:
    with pytest.raises(InvalidSecretError) as raised:
        operations.set_secret(agent, agent.creator, name, value)
    assert list(raised.value.fields) == [field]
    assert value not in str(raised.value.fields)


def test_only_the_creator(agent: Agent, stranger: User, api: Any, client: Client) -> None:
    with pytest.raises(NotYoursError):
        operations.set_secret(agent, stranger, "KEY", VALUE)
    assert api(stranger).put(f"/api/v1/agents/{agent.slug}/secrets/KEY", {"value": VALUE}).status_code == 404
    assert api(stranger).get(f"/api/v1/agents/{agent.slug}/secrets").status_code == 404
    assert api(None).get("/api/v1/registry-credentials").status_code == 401
    client.force_login(stranger)
    assert client.get(f"/agents/{agent.slug}/secrets/").status_code == 404


def test_at_most_twenty(agent: Agent) -> None:
    for number in range(operations.MOST_SECRETS):
        operations.set_secret(agent, agent.creator, f"KEY_{number}", VALUE)
    operations.set_secret(agent, agent.creator, "KEY_1", VALUE + "new")
    with pytest.raises(InvalidSecretError):
        operations.set_secret(agent, agent.creator, "ONE_MORE", VALUE)


def test_keys_are_rotated(agent: Agent, settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.VAULT_KEYS = [old]
    operations.set_secret(agent, agent.creator, "KEY", VALUE)
    operations.set_credential(agent.creator, "ghcr.io", "me", VALUE)
    settings.VAULT_KEYS = [new, old]
    call_command("rotate_vault")
    settings.VAULT_KEYS = [new]
    assert operations.secrets_of(agent) == {"KEY": VALUE}
    settings.VAULT_KEYS = [old]
    with pytest.raises(VaultError):
        operations.secrets_of(agent)


def test_api_is_write_only(agent: Agent, api: Any) -> None:
    caller = api(agent.creator)
    stored = caller.put(f"/api/v1/agents/{agent.slug}/secrets/API_KEY", {"value": VALUE})
    assert stored.status_code == 200
    assert stored.json().keys() == {"name", "created_at", "updated_at"}
    listed = caller.get(f"/api/v1/agents/{agent.slug}/secrets")
    assert [row["name"] for row in listed.json()] == ["API_KEY"]
    login = caller.put("/api/v1/registry-credentials/ghcr.io", {"username": "me", "password": VALUE})
    assert login.json()["registry"] == "ghcr.io"
    texts = [stored.content, listed.content, login.content, caller.get("/api/v1/registry-credentials").content]
    texts.append(caller.get(f"/api/v1/agents/{agent.slug}").content)
    assert not any(VALUE.encode() in text for text in texts)
    assert caller.delete(f"/api/v1/agents/{agent.slug}/secrets/API_KEY").status_code == 204
    assert caller.delete(f"/api/v1/agents/{agent.slug}/secrets/API_KEY").status_code == 404
    assert caller.delete("/api/v1/registry-credentials/ghcr.io").status_code == 204
    refused = caller.put(f"/api/v1/agents/{agent.slug}/secrets/API_KEY", {"value": "short"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_secret")


def test_pages_never_show_a_value(agent: Agent, client: Client) -> None:
    client.force_login(agent.creator)
    page = f"/agents/{agent.slug}/secrets/"
    assert "No secrets yet" in client.get(page).content.decode()
    assert client.post(page, {"name": "API_KEY", "value": VALUE}).status_code == 302
    shown = client.get(page).content.decode()
    assert "API_KEY" in shown
    assert VALUE not in shown
    wrong = client.post(page, {"name": "api key", "value": VALUE})
    assert wrong.status_code == 422
    assert "Use capital letters" in wrong.content.decode()
    assert client.post(f"{page}API_KEY/delete/").status_code == 302
    assert not AgentSecret.objects.exists()
    made = client.post("/studio/registries/", {"registry": "ghcr.io", "username": "me", "password": VALUE})
    assert made.status_code == 302
    shown = client.get("/studio/registries/").content.decode()
    assert "ghcr.io" in shown
    assert VALUE not in shown
    assert client.post("/studio/registries/ghcr.io/delete/").status_code == 302
    assert not RegistryCredential.objects.exists()
