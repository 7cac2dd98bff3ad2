"""A check of the image's WORKDIR on the created, not yet started container."""

import base64
import json
import posixpath
from typing import Any

import docker

from executions.runners.docker.engine import CALL_SECONDS, engine_errors
from executions.runners.docker.pulling import ImageUnusableError


def refuse_links(client: docker.APIClient, container: str, workdir: str) -> None:
    """Refuse a WORKDIR that leads through a symbolic link: the runtime would follow it while it still holds file
    descriptors of the host (CVE-2024-21626). Raises ImageUnusableError."""
    at = "/"
    for part in [part for part in workdir.split("/") if part]:
        at = posixpath.join(at, part)
        if _stat(client, container, at).get("linkTarget"):
            raise ImageUnusableError("The image's WORKDIR must not lead through a symbolic link.")


def _stat(client: docker.APIClient, container: str, path: str) -> dict[str, Any]:
    """What the engine says of a path inside the container; the last part is not followed when it is a link."""
    url = f"{client.base_url}/v{client.api_version}/containers/{container}/archive"
    with engine_errors():
        answer = client.head(url, params={"path": path}, timeout=CALL_SECONDS)
    header = answer.headers.get("X-Docker-Container-Path-Stat")
    stat: dict[str, Any] = json.loads(base64.b64decode(header)) if header else {}
    return stat
