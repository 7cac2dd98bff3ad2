"""The Docker engine, as far as building images needs it."""

import os
import queue
import socket
import threading
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from deploy.agents.images.contexts import Context
from deploy.agents.images.errors import ImageBuildError

CONTENT_LABEL = "io.agentnexus.content"
DEFAULT_HOST = "unix:///var/run/docker.sock"
FIRST_ANSWER = 5.0  # seconds a registry has for its first answer; where it cannot be reached, this is all it costs
NEXT_ANSWER = 60.0  # seconds between two reports of a pull under way
LAST_LINES = 15  # of a failed build's output


@dataclass(frozen=True, slots=True)
class Image:
    """An image in the engine. `id` is `sha256:<hex>`, `size` is in bytes."""

    id: str
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    size: int


class Engine:
    """One connection to the engine of DOCKER_HOST, or of the local socket."""

    def __init__(self, api: Any) -> None:
        self._api = api
        # Sockets are closed with the object, whoever holds it last.
        weakref.finalize(self, api.close)

    @classmethod
    def connect(cls) -> "Engine":
        """Raises ImageBuildError with what to do when the engine does not answer."""
        try:
            _knock(os.environ.get("DOCKER_HOST") or DEFAULT_HOST)
            client = docker.from_env(timeout=600)
            client.api.ping()
        except (DockerException, requests.RequestException, OSError) as error:
            raise ImageBuildError(_explain_connection(error)) from None
        return cls(client.api)

    def architecture(self) -> str:
        """The engine's architecture in Debian's words, such as `amd64` or `arm64`."""
        return {"arm": "armhf", "386": "i386", "ppc64le": "ppc64el"}.get(
            found := str(self._api.version()["Arch"]), found
        )

    def find(self, reference: str) -> Image | None:
        """The image that `reference` names here, or None. Nothing is pulled."""
        try:
            details = self._api.inspect_image(reference)
        except ImageNotFound:
            return None
        return Image(
            id=details["Id"],
            tags=tuple(details.get("RepoTags") or ()),
            labels=details["Config"].get("Labels") or {},
            size=details["Size"],
        )

    def find_built(self, name: str, content: str) -> Image | None:
        """The image called `name`, if it was built from this content."""
        image = self.find(name)
        return image if image is not None and image.labels.get(CONTENT_LABEL) == content else None

    def tag(self, image: Image, repository: str, tag: str) -> None:
        """Give the image a further name."""
        self._api.tag(image.id, repository, tag)

    def pull(self, reference: str) -> str | None:
        """Pull the image. Returns None when it arrived, else the reason why not, after about 5 s at most where the
        registry does not answer."""
        repository, _, tag = reference.rpartition(":") if ":" in reference.split("/")[-1] else (reference, "", "latest")
        answers: queue.Queue[dict[str, Any] | Exception | None] = queue.Queue()

        def read() -> None:
            try:
                for answer in self._api.pull(repository, tag=tag, stream=True, decode=True):
                    answers.put(answer)
                answers.put(None)
            except (DockerException, requests.RequestException) as error:
                answers.put(error)

        # A daemon resolves names for 20 s and more where there is no network. The thread is left behind then.
        threading.Thread(target=read, daemon=True, name="pull").start()
        patience = FIRST_ANSWER
        while True:
            try:
                answer = answers.get(timeout=patience)
            except queue.Empty:
                return f"no answer within {patience:.0f} s"
            if answer is None:
                return None
            if isinstance(answer, Exception):
                return str(getattr(answer, "explanation", None) or answer)
            if "error" in answer:
                return str(answer["error"])
            patience = NEXT_ANSWER

    def load_root(self, archive: Path, repository: str, tag: str, changes: tuple[str, ...]) -> Image:
        """Make an image of a root file system in a tar archive."""
        try:
            with archive.open("rb") as stream:
                # An iterator is sent in chunks; a file would get a Content-Length as well, which the engine refuses.
                chunks = iter(lambda: stream.read(1 << 20), b"")
                answer = self._api.import_image_from_stream(
                    chunks, repository=repository, tag=tag, changes=list(changes)
                )
        except APIError as error:
            raise ImageBuildError(f"The engine refused the stand-in image: {error.explanation}") from None
        if '"error"' in answer:
            raise ImageBuildError(f"The engine refused the stand-in image: {answer.strip()}")
        return self._expect(f"{repository}:{tag}")

    def build(
        self,
        context: Context,
        name: str,
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
        anew: bool = False,
    ) -> Image:
        """Build the context and call the image `name`; `anew` without what earlier builds left.

        Raises ImageBuildError with the end of the build's output.
        """
        self._keep_name(name)
        output: list[str] = []
        try:
            for answer in self._build_steps(context, name, arguments, labels, anew):
                output.extend(str(answer.get("stream") or answer.get("error") or "").splitlines())
                if "error" in answer:
                    raise ImageBuildError(_failed_build(name, output))
        except APIError as error:
            raise ImageBuildError(_failed_build(name, [*output, str(error.explanation)])) from None
        return self._expect(name)

    def _keep_name(self, name: str) -> None:
        """Let the image that is called so now keep a name in its repository, by which published versions find it."""
        if (old := self.find(name)) is not None:
            repository, _, tag = name.rpartition(":")
            self.tag(old, repository, f"{tag}-{old.id.removeprefix('sha256:')[:12]}")

    def _build_steps(
        self,
        context: Context,
        name: str,
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
        anew: bool,
    ) -> Iterator[dict[str, Any]]:
        steps: Iterator[dict[str, Any]] = self._api.build(
            fileobj=context.archive(),
            custom_context=True,
            dockerfile=context.dockerfile,
            tag=name,
            buildargs=dict(arguments),
            labels=dict(labels),
            rm=True,
            forcerm=True,
            pull=False,
            nocache=anew,
            decode=True,
        )
        return steps

    def _expect(self, reference: str) -> Image:
        image = self.find(reference)
        if image is None:
            raise ImageBuildError(f"The engine built {reference}, and no longer has it: is something pruning images?")
        return image


def _failed_build(name: str, output: list[str]) -> str:
    lines = [line for line in output if line.strip()]
    return f"{name} could not be built. The end of the output:\n  " + "\n  ".join(lines[-LAST_LINES:])


def _knock(host: str) -> None:
    """Try a local engine's socket, whose errors say more than what the SDK makes of them."""
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as plain:
            plain.connect(host.removeprefix("unix://"))


def _explain_connection(error: Exception) -> str:
    reason = str(error)
    if isinstance(error, PermissionError):
        return (
            "You may not use the Docker engine's socket: add yourself to its group with "
            "`sudo usermod -aG docker $USER`, then log in again."
        )
    if isinstance(error, FileNotFoundError | ConnectionRefusedError) or "Connection refused" in reason:
        return (
            "No Docker engine is running here: start it (`sudo systemctl start docker`, or `dockerd` as root), or set "
            "DOCKER_HOST to one that runs elsewhere."
        )
    return f"The Docker engine of DOCKER_HOST does not answer: {reason}"
