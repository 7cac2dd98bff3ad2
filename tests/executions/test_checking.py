"""New versions' images are pulled and judged by a worker, with a real engine."""

import threading
from collections.abc import Callable, Iterator

import docker
import pytest
from django.utils import timezone

from executions import dispatch
from executions.dispatch.sweeping import NO_ENGINE, sweep
from executions.errors import NoLiveVersionError
from executions.worker.checking import Checker
from marketplace.models import AgentVersion
from tests.executions import images
from tests.executions.conftest import eventually
from tests.factories.executions import NodeFactory, version_of

pytestmark = [pytest.mark.docker, pytest.mark.django_db]
Judge = Callable[[str], AgentVersion]


@pytest.fixture
def checker() -> Iterator[Checker]:
    checker = Checker()
    yield checker
    checker.stop()


@pytest.fixture
def judge(checker: Checker) -> Judge:
    """The version of this image after a worker has looked at it."""

    def judged(image: str) -> AgentVersion:
        version = version_of(image, verdict="pending")
        assert checker.check_next()
        version.refresh_from_db()
        return version

    return judged


def test_an_image_of_the_engine_is_accepted(judge: Judge, scripted: str) -> None:
    version = judge(scripted)
    assert (version.verdict, version.verdict_reason, version.agent.live_version) == ("accepted", "", version)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("CMD []", "The image says no command to run: set ENTRYPOINT or CMD."),
        ("WORKDIR /proc/self/fd/8", "The image's WORKDIR must be an ordinary directory."),
        ('VOLUME ["/proc/x"]', "The image declares volumes that cannot be allowed."),
        (
            "LABEL io.agentnexus.execution=x",
            "The image has a label that is the platform's own: "
            "io.agentnexus.{instance,execution,attempt,deadline,hot,part}.",
        ),
        ("RUN ln -s / /link\nWORKDIR /link", "The image's WORKDIR must not lead through a symbolic link."),
    ],
)
def test_host_tricks_are_refused(
    judge: Judge, engine: docker.APIClient, base_image: str, lines: str, sentence: str
) -> None:
    with images.built(engine, "agentnexus-test/tricky", f"FROM {base_image}\nUSER root\n{lines}") as reference:
        version = judge(reference)

    assert (version.verdict, version.verdict_reason, version.agent.live_version) == ("refused", sentence, None)
    assert not engine.containers(all=True, filters={"ancestor": reference.partition("@")[2]})


def test_a_registry_that_cannot_be_reached_is_tried_again(judge: Judge) -> None:
    version = judge(f"127.0.0.1:9/somebody/agent@sha256:{'1' * 64}")

    assert (version.verdict, "could not be pulled" in version.verdict_reason) == ("pending", True)
    assert version.check_at is not None
    assert 5 < (version.check_at - timezone.now()).total_seconds() <= 10


def test_a_worker_that_stops_gives_back_what_it_pulls(checker: Checker, silent_registry: str) -> None:
    version = version_of(f"{silent_registry}/somebody/agent@sha256:{'1' * 64}", verdict="pending")
    threading.Timer(0.3, checker.stop).start()
    checker.check_next()

    version.refresh_from_db()
    assert (version.verdict, version.verdict_reason) == ("pending", "")
    assert version.check_at is not None
    assert version.check_at <= timezone.now()


@pytest.mark.django_db(transaction=True)
def test_a_worker_looks_by_itself(checker: Checker, scripted: str) -> None:
    version = version_of(scripted, verdict="pending")
    checker.look()
    eventually(lambda: AgentVersion.objects.get(pk=version.pk).verdict == "accepted")
    checker.stop()


def test_without_an_engine_it_says_that_the_check_waits(scripted: str) -> None:
    version = version_of(scripted, verdict="pending")
    node = NodeFactory.create(engine_ok=True)
    sweep()
    version.refresh_from_db()
    assert version.verdict_reason == ""
    node.delete()
    sweep()
    version.refresh_from_db()
    assert version.verdict_reason == NO_ENGINE


@pytest.mark.parametrize(("verdict", "code"), [("pending", "version_being_checked"), ("refused", "version_refused")])
def test_what_was_not_accepted_is_not_run(scripted: str, verdict: str, code: str) -> None:
    version = version_of(scripted, verdict=verdict, verdict_reason="It is too large.")
    with pytest.raises(NoLiveVersionError) as refused:
        dispatch.request(version.agent.creator, version.agent, {}, version)
    assert refused.value.code == code
    with pytest.raises(NoLiveVersionError, match="no version that can be run"):
        dispatch.request(version.agent.creator, version.agent, {})
