"""The connection to a Docker engine, and what its errors mean."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import docker
import docker.errors
import requests

from executions.errors import RunnerError, RunnerUnavailableError

# An answer to any call but pulling and waiting takes the engine well under a second; more than this is a fault.
CALL_SECONDS = 30
PROBE_SECONDS = 3.0


class EngineCallError(RunnerError):
    """The engine refused a call, or gave no sense. `message` is the engine's own text."""

    def __init__(self, message: str, status: int | None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def missing(self) -> bool:
        """The thing asked for does not exist."""
        return self.status == 404


class Engine:
    """Low-level clients of one engine: one per thread, for a requests session is not safe to share."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._local = threading.local()
        self._version: str | None = None

    @property
    def client(self) -> docker.APIClient:
        """This thread's client. Raises RunnerUnavailableError when the engine cannot be reached."""
        client: docker.APIClient | None = getattr(self._local, "client", None)
        if client is None:
            self.probe()
            try:
                client = docker.APIClient(self.base_url, version=self._version or "auto", timeout=CALL_SECONDS)
            except (docker.errors.DockerException, requests.RequestException, OSError) as exc:
                raise RunnerUnavailableError("The Docker engine cannot be reached.") from exc
            self._version = client.api_version
            self._local.client = client
        return client

    def probe(self) -> None:
        """Raise RunnerUnavailableError unless somebody listens at the engine's address."""
        url = urlsplit(self.base_url)
        try:
            if url.scheme in {"unix", "http+unix"}:
                with socket.socket(socket.AF_UNIX) as listener:
                    listener.settimeout(PROBE_SECONDS)
                    listener.connect(url.path)
            else:
                socket.create_connection((url.hostname or "", url.port or 2375), PROBE_SECONDS).close()
        except (OSError, ValueError) as exc:
            raise RunnerUnavailableError("The Docker engine cannot be reached.") from exc

    def close(self) -> None:
        """Close this thread's connections."""
        client: docker.APIClient | None = getattr(self._local, "client", None)
        if client is not None:
            client.close()
            del self._local.client


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn the SDK's errors into ours: EngineCallError when the engine answered, RunnerUnavailableError when not."""
    try:
        yield
    except docker.errors.APIError as exc:
        status = exc.response.status_code if exc.response is not None else None
        raise EngineCallError(str(exc.explanation or exc), status) from exc
    except (requests.RequestException, docker.errors.DockerException, OSError) as exc:
        raise RunnerUnavailableError("The Docker engine stopped answering.") from exc
