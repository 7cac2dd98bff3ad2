"""Executions."""

import hashlib
from typing import Any

import factory
from django.core.files.base import ContentFile
from django.utils import timezone
from factory.django import DjangoModelFactory

from executions.files.models import private_name
from executions.models import Execution, File, Node
from marketplace.contents import storage
from marketplace.models import AgentVersion
from tests.factories.marketplace import AgentVersionFactory, PublishedAgentFactory
from tests.factories.wallets import UserFactory

ANYTHING: dict[str, Any] = {"type": "object"}


class ExecutionFactory(DjangoModelFactory[Execution]):
    """A queued run, by the agent's creator, of a version that takes and gives any object."""

    class Meta:
        model = Execution

    version = factory.LazyFunction(lambda: version_of("agentnexus/sample@sha256:" + "0" * 64))
    agent = factory.LazyAttribute(lambda execution: execution.version.agent)
    user = factory.LazyAttribute(lambda execution: execution.agent.creator)
    input = factory.LazyFunction(dict)
    fingerprint = "0" * 64
    deadline_seconds = 30
    finished_at = factory.LazyAttribute(
        lambda execution: None if execution.status in {"queued", "starting", "running"} else timezone.now()
    )
    status = Execution.Status.QUEUED


class FileFactory(DjangoModelFactory[File]):
    """An uploaded file whose content is `content`, in the storage."""

    class Meta:
        model = File
        exclude = ("content",)

    content = b"a,b\n1,2\n"
    user = factory.SubFactory(UserFactory)
    source = File.Source.UPLOAD
    name = "orders.csv"
    media_type = "text/csv"
    size = factory.LazyAttribute(lambda file: len(file.content))
    sha256 = factory.LazyAttribute(lambda file: hashlib.sha256(file.content).hexdigest())
    stored_as = factory.LazyAttribute(lambda file: storage().save(private_name(), ContentFile(file.content)))
    stored_at = factory.LazyFunction(timezone.now)


class NodeFactory(DjangoModelFactory[Node]):
    """A machine that takes anything that needs no more than 1 GiB."""

    class Meta:
        model = Node

    name = factory.Sequence("node-{}".format)
    engine = "Docker 20.10"
    engine_ok = True
    cpus = 2
    memory_bytes = 1024**3
    slots = 4
    last_seen_at = factory.LazyFunction(timezone.now)


def version_of(image: str, **changes: Any) -> AgentVersion:
    """The live version of a new published agent whose image is `image`."""
    agent = PublishedAgentFactory.create(version=None)
    values = {"input_schema": ANYTHING, "output_schema": ANYTHING, "number": "1.0.0", **changes}
    return AgentVersionFactory.create(agent=agent, image=image, **values)
