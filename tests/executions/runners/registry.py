"""A registry with one image, in a thread: enough of the protocol for an engine to pull by digest."""

import gzip
import hashlib
import io
import json
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import docker

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass
class Registry:
    """What it serves, by path, and how it answers everything: 0 as it should, else with this status."""

    address: str = ""
    digest: str = ""
    served: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    status: int = 0
    slow: bool = False
    hung_up: threading.Event = field(default_factory=threading.Event)
    body: bytes = b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}'

    @property
    def reference(self) -> str:
        return f"{self.address}/sample/agent@{self.digest}"


@contextmanager
def serving(client: docker.APIClient, image: str) -> Iterator[Registry]:
    """A registry that has `image` of the engine as sample/agent."""
    registry = Registry()
    _take(registry, client, image)
    with _served(registry):
        yield registry


@contextmanager
def serving_layer(content: bytes, *, slowly: bool = False) -> Iterator[Registry]:
    """A registry with an image of one file that no engine has; `slowly` its second half comes byte by byte."""
    registry = Registry(slow=slowly)
    with _served(registry):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            info = tarfile.TarInfo("content")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        layer = archive.getvalue()
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/content"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
        _describe(registry, json.dumps(config).encode(), [gzip.compress(layer, compresslevel=1)])
        yield registry


@contextmanager
def _served(registry: Registry) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(registry))
    registry.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _take(registry: Registry, client: docker.APIClient, image: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(b"".join(client.get_image(image)))) as tar:
        parts = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        read = {name: file.read() for name, file in parts.items() if file is not None}
    (described,) = json.loads(read["manifest.json"])
    config = read[described["Config"]]
    _describe(registry, config, [gzip.compress(read[name], compresslevel=1) for name in described["Layers"]])


def _describe(registry: Registry, config: bytes, layers: list[bytes]) -> None:
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _blob(registry, config, "application/vnd.docker.container.image.v1+json"),
            "layers": [_blob(registry, layer, "application/vnd.docker.image.rootfs.diff.tar.gzip") for layer in layers],
        }
    ).encode()
    registry.digest = _digest(manifest)
    registry.served[f"/v2/sample/agent/manifests/{registry.digest}"] = (MANIFEST, manifest)
    registry.served["/v2/"] = ("application/json", b"{}")


def _blob(registry: Registry, data: bytes, media: str) -> dict[str, Any]:
    digest = _digest(data)
    registry.served[f"/v2/sample/agent/blobs/{digest}"] = (media, data)
    return {"mediaType": media, "size": len(data), "digest": digest}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            media, body = registry.served.get(self.path, ("application/json", registry.body))
            status = registry.status or (200 if self.path in registry.served else 404)
            if status == 401:
                body = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", self.path.rpartition("/")[2])
            self.end_headers()
            if self.command != "HEAD":
                self._write(body)

        def _write(self, body: bytes) -> None:
            end = len(body) // 2 if registry.slow and len(body) > 100_000 else len(body)
            self.wfile.write(body[:end])
            try:
                for byte in body[end:]:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.02)
            except ConnectionError:
                registry.hung_up.set()

        do_HEAD = do_GET  # noqa: N815  the name http.server looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  named by the class it extends
            """Be quiet."""

    return Handler
