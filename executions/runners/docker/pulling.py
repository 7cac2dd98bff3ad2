"""Fetching an image from its registry: a stranger's server, of which the node's engine asks what a stranger wrote.

A registry inside the platform's network is asked only where the settings name it; no word of an answer is shown; and a
pull ends that takes too long, is too large, or leaves the node's disk too little room.
"""

import json
import queue
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from docker.auth import encode_header

from executions.limits import PULL_WITHIN
from executions.runners.base import Control, RegistryLogin
from executions.runners.docker.addresses import is_public
from executions.runners.docker.engine import Engine, EngineCallError, engine_errors
from marketplace.catalogue.images import repository_of

log = structlog.get_logger(__name__)
PROGRESS_EVERY = 2.0
# A node's disk keeps as much free (bytes).
LEAST_FREE = 1024**3
_CONNECT_SECONDS = 3
# What an engine says, and what it means.
_CAUSES = (
    (("no such host", "server misbehaving"), "its registry is not known by that name"),
    (("refused", "no route", "unreachable", "reset by peer", "eof"), "its registry takes no connections"),
    (("timeout", "deadline exceeded"), "its registry does not answer"),
    (("x509", "certificate", "tls:", "http response to https"), "its registry has no certificate that is trusted"),
    (("toomanyrequests", "too many requests"), "its registry wants to be asked less often"),
)


class ImageUnusableError(Exception):
    """The image cannot be had or may not be run; the message is for the person who asked."""


class ImageUnreachableError(ImageUnusableError):
    """The registry did not give it now; later it may."""


class PullStoppedError(Exception):
    """The run was told to stop while pulling."""


def pull(
    engine: Engine,
    repository: str,
    digest: str,
    control: Control,
    event: Callable[[str], None],
    login: RegistryLogin | None,
) -> None:
    """Have the engine fetch `repository@digest`, with a word about it every PROGRESS_EVERY.

    When the run is told to stop the engine goes on, which does no harm: the next run finds the image. Raises
    ImageUnusableError, PullStoppedError, EngineCallError, RunnerUnavailableError.
    """
    _refuse_private(repository_of(f"{repository}@{digest}").partition("/")[0])
    reader = _Reader(engine, repository, digest, login)
    progress, room = _Progress(), _Room(engine)
    try:
        for item in _until_stopped(reader.news, control, time.monotonic() + PULL_WITHIN.total_seconds()):
            if isinstance(item, BaseException):
                raise item
            if "error" in item:
                raise _failure(repository, str(item["error"]))
            text = progress.after(item)
            if progress.announced > settings.EXECUTION_IMAGE_BYTES:
                most = settings.EXECUTION_IMAGE_BYTES / 1_048_576
                raise ImageUnusableError(f"The image is larger than the {most:,.0f} MiB that are allowed.")
            room.check()
            if text:
                event(text)
    except ImageUnusableError:
        reader.abandon()
        raise


def _refuse_private(registry: str) -> None:
    host, _, port = registry.partition(":")
    if {registry, host} & set(settings.EXECUTION_PRIVATE_REGISTRIES):
        return
    try:
        found = socket.getaddrinfo(host, int(port or 443), type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return  # the engine, which may have ways of its own, will say so
    if not all(is_public(str(address[0])) for *_, address in found):
        raise ImageUnusableError(f"The registry {registry} is inside a network, not on the internet.")


class _Reader:
    """Pulls in a thread: the engine may say nothing for minutes, and a stop must be obeyed at once. `news` holds what
    it says, then None, or an exception."""

    def __init__(self, engine: Engine, repository: str, digest: str, login: RegistryLogin | None) -> None:
        self.news: queue.Queue[Any] = queue.Queue()
        self._engine = engine
        self._repository = repository
        self._answer: Any = None
        self._lock = threading.Lock()
        self._abandoned = False
        threading.Thread(target=self._run, args=(digest, login), name="pull", daemon=True).start()

    def abandon(self) -> None:
        """Hang up, which makes the engine stop and forget what it has of the image."""
        with self._lock:
            self._abandoned = True
            if self._answer is not None:
                self._hang_up()

    def _hang_up(self) -> None:
        connection = self._answer.raw.connection
        if connection is not None and connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)

    def _run(self, digest: str, login: RegistryLogin | None) -> None:
        try:
            with engine_errors():
                for item in self._ask(digest, login):
                    self.news.put(item)
            self.news.put(None)
        except EngineCallError as exc:
            self.news.put(_failure(self._repository, exc.message))
        except Exception as exc:  # noqa: BLE001  handed to the thread that waits for it
            self.news.put(exc)
        finally:
            self._engine.close()

    def _ask(self, digest: str, login: RegistryLogin | None) -> Iterator[dict[str, Any]]:
        # Given with the call, so that it is on no disk of the node; what the node itself is logged in to is not for
        # strangers' images.
        headers = {}
        if login:
            headers["X-Registry-Auth"] = encode_header({"username": login.username, "password": login.password})
        client = self._engine.client
        with client.post(
            f"{client.base_url}/v{client.api_version}/images/create",
            params={"fromImage": self._repository, "tag": digest},
            headers=headers,
            stream=True,
            timeout=(_CONNECT_SECONDS, PULL_WITHIN.total_seconds() + 1),
        ) as answer:
            if answer.status_code != 200:
                raise EngineCallError(answer.json().get("message", ""), answer.status_code)
            with self._lock:
                self._answer = answer
                if self._abandoned:
                    self._hang_up()
            for line in answer.iter_lines():
                if line:
                    yield json.loads(line)


def _until_stopped(news: "queue.Queue[Any]", control: Control, deadline: float) -> Iterator[Any]:
    while True:
        if control.reason is not None:
            raise PullStoppedError
        if time.monotonic() > deadline:
            minutes = PULL_WITHIN.total_seconds() / 60
            raise ImageUnreachableError(f"The image did not arrive within {minutes:.0f} minutes.")
        try:
            item = news.get(timeout=0.1)
        except queue.Empty:
            continue
        if item is None:
            return
        yield item


class _Progress:
    """Turns hundreds of messages about layers into a line every few seconds."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}
        self._said = time.monotonic()

    @property
    def announced(self) -> int:
        """Bytes of the layers begun so far, as they are sent: packed, so the image is larger."""
        return sum(total for _, total in self._layers.values())

    def after(self, item: dict[str, Any]) -> str:
        detail = item.get("progressDetail") or {}
        if item.get("status") == "Downloading" and detail.get("total"):
            self._layers[item.get("id", "")] = (detail["current"], detail["total"])
        if not self._layers or time.monotonic() - self._said < PROGRESS_EVERY:
            return ""
        self._said = time.monotonic()
        done, total = (sum(part) / 1_048_576 for part in zip(*self._layers.values(), strict=True))
        return f"Downloading {done:,.0f} of {total:,.0f} MiB"


class _Room:
    """What is left of the disk of an engine on this machine: a layer may be a thousand times what is sent of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._root: Path | None = None
        self._looked = 0.0

    def check(self) -> None:
        """Raise ImageUnreachableError when it is too little."""
        if time.monotonic() - self._looked < 0.2:
            return
        if self._root is None:
            with engine_errors():
                self._root = Path(str(self._engine.client.info().get("DockerRootDir") or "/nowhere"))
        self._looked = time.monotonic()
        if self._root.is_dir() and shutil.disk_usage(self._root).free < LEAST_FREE:
            log.error("disk_too_full_for_images", root=str(self._root), least_bytes=LEAST_FREE)
            raise ImageUnreachableError("The machine has no room for the image.")


def _failure(repository: str, text: str) -> ImageUnusableError:
    """What it means; the text itself may repeat whatever a server inside our network said, so it is for operators."""
    log.info("image_not_pulled", repository=repository, said=text[:1_000])
    said = text.lower()
    if "unauthorized" in said or "denied" in said or "no basic auth" in said:
        return ImageUnusableError(
            f"The registry does not let us pull {repository}: it does not exist there or is private."
        )
    if "not found" in said or "manifest unknown" in said or "does not exist" in said:
        return ImageUnusableError(f"The registry has no image {repository} with the version's digest.")
    if "no matching manifest" in said:
        return ImageUnusableError(f"The image {repository} is not made for this machine's processor.")
    causes = (cause for words, cause in _CAUSES if any(word in said for word in words))
    cause = next(causes, "its registry, or the engine, cannot make sense of it")
    return ImageUnreachableError(f"The image {repository} could not be pulled: {cause}.")
