"""Entrusting, replacing, deleting; and what a run needs of it."""

import re
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from marketplace.catalogue.images import clean_registry, repository_of
from marketplace.catalogue.models import Agent
from marketplace.errors import InvalidSecretError, NotYoursError
from marketplace.vault.encryption import reseal, seal
from marketplace.vault.models import AgentSecret, RegistryCredential
from wallets.models import User

MOST_SECRETS = 20
MOST_CREDENTIALS = 20
# Bytes. A shorter one could not be told from ordinary text, so that its redaction would make logs unreadable.
LEAST, MOST = 8, 8 * 1024
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Credential:
    """A user's name and password at a registry."""

    username: str
    password: str = field(repr=False)


def set_secret(agent: Agent, by: User, name: str, value: str) -> AgentSecret:
    """Entrust a secret, or replace it: runs that start from now on get the new one.

    Raises NotYoursError, InvalidSecretError.
    """
    _require_creator(agent, by)
    problems = {}
    if not _NAME.fullmatch(name):
        problems["name"] = "Use capital letters, digits and underscores, beginning with a letter, as in API_KEY."
    if not LEAST <= len(value.encode()) <= MOST or "\0" in value:
        problems["value"] = f"Enter {LEAST} to {MOST:,} bytes of text."
    if problems:
        raise InvalidSecretError("The secret cannot be stored.", fields=problems)
    with transaction.atomic():
        # Two at once could both find room for one more.
        Agent.objects.select_for_update().get(pk=agent.pk)
        if agent.secrets.exclude(name=name).count() >= MOST_SECRETS:
            raise InvalidSecretError(f"An agent has at most {MOST_SECRETS} secrets.")
        secret, _ = AgentSecret.objects.update_or_create(agent=agent, name=name, defaults={"sealed": seal(value)})
    return secret


def delete_secret(agent: Agent, by: User, name: str) -> bool:
    """Whether there was one. Raises NotYoursError."""
    _require_creator(agent, by)
    return bool(agent.secrets.filter(name=name).delete()[0])


def set_credential(creator: User, registry: str, username: str, password: str) -> RegistryCredential:
    """Entrust the credential of a registry, or replace it. Raises InvalidSecretError."""
    problems = {}
    host = ""
    try:
        host = clean_registry(registry)
    except ValueError as exc:
        problems["registry"] = str(exc)
    if not 0 < len(username) <= 255 or not username.isprintable() or ":" in username:
        problems["username"] = "Enter the user's name at the registry."
    if not 0 < len(password.encode()) <= MOST or not password.isprintable():
        problems["password"] = "Enter the password or access token."  # noqa: S105  a sentence
    if problems:
        raise InvalidSecretError("The credential cannot be stored.", fields=problems)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=creator.pk)
        if creator.registry_credentials.exclude(registry=host).count() >= MOST_CREDENTIALS:
            raise InvalidSecretError(f"You can store at most {MOST_CREDENTIALS} credentials.")
        credential, _ = RegistryCredential.objects.update_or_create(
            creator=creator, registry=host, defaults={"username": username, "sealed": seal(password)}
        )
    return credential


def delete_credential(creator: User, registry: str) -> bool:
    """Whether there was one."""
    return bool(creator.registry_credentials.filter(registry=registry).delete()[0])


def secrets_of(agent: Agent) -> dict[str, str]:
    """For a run: the values by name. Raises VaultError."""
    return {secret.name: secret.reveal() for secret in agent.secrets.all()}


def credential_for(creator_id: UUID, image: str) -> Credential | None:
    """For a pull of `image`. Raises VaultError."""
    registry = repository_of(image).partition("/")[0]
    found = RegistryCredential.objects.filter(creator_id=creator_id, registry=registry).first()
    return Credential(found.username, found.reveal()) if found else None


def rotate() -> int:
    """Encrypt everything with the first of VAULT_KEYS; the number of values. Raises VaultError."""
    return _rotate(AgentSecret.objects.all()) + _rotate(RegistryCredential.objects.all())


def _rotate(rows: QuerySet[AgentSecret] | QuerySet[RegistryCredential]) -> int:
    count = 0
    for pk in list(rows.values_list("pk", flat=True)):
        with transaction.atomic():
            row = rows.select_for_update().filter(pk=pk).first()
            if row is not None:  # deleted meanwhile
                row.sealed = reseal(row.sealed)
                row.save(update_fields=["sealed"])
                count += 1
    return count


def _require_creator(agent: Agent, by: User) -> None:
    if agent.creator_id != by.pk:
        raise NotYoursError("Only the agent's creator may do this.")
