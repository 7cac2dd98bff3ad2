"""A small internet for tests: a network with public addresses, and in it a server of names, HTTP and echoes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import docker

from tests.executions.conftest import eventually
from tests.executions.images import LABEL

# Answers: names of the zone below; `rebind.test` is public when first asked for and inside from then on, at no time to
# live. Every question is printed. Port 80 speaks HTTP, 443 sends back what it gets.
SERVER = r"""
import collections, http.server, socket, socketserver, struct, sys, threading
own = socket.gethostbyname(socket.gethostname())
zone = {"api.test": own, "www.api.test": own, "other.test": own, "inside.test": "10.0.0.1", "meta.test": "169.254.169.254",
        "host.test": sys.argv[1], "loop.test": "127.0.0.1", "mixed.test": own}
asked = collections.Counter()
class Names(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode()); at += data[at] + 1
        name, kind = ".".join(labels).lower(), struct.unpack(">H", data[at + 1:at + 3])[0]
        sys.stdout.write(f"asked {name} {kind}\n"); sys.stdout.flush()  # at once: threads ask at the same time
        asked[name] += 1
        found = [zone[name]] if name in zone else []
        if name == "rebind.test": found = [own] if asked[name] == 1 else [sys.argv[1]]
        if name == "mixed.test": found = [own, "10.0.0.1"]
        found = found if kind == 1 else []
        answer = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(ip) for ip in found)
        code = 0x8180 if name in zone or name == "rebind.test" else 0x8183
        sock.sendto(data[:2] + struct.pack(">HHHHH", code, 1, len(found), 0, 0) + data[12:at + 5] + answer, self.client_address)
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"hello {self.headers['Host']} {self.headers.get('X-Forwarded-For')} {self.headers.get('Via')}".encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536): self.request.sendall(data)
for server in (socketserver.ThreadingUDPServer(("", 53), Names), http.server.ThreadingHTTPServer(("", 80), Page),
               socketserver.ThreadingTCPServer(("", 443), Echo)):
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""


@dataclass(frozen=True, slots=True)
class Internet:
    """The network's name and the server's address in it."""

    client: docker.APIClient
    network: str
    address: str
    server: str

    def questions(self) -> list[str]:
        """Names that were asked for so far."""
        lines = self.client.logs(self.server).decode().splitlines()
        return [line.split()[1] for line in lines if line.startswith("asked ")]


@contextmanager
def internet(client: docker.APIClient, image: str) -> Iterator[Internet]:
    """One for this process."""
    name = f"agentnexus-test-internet-{os.getpid()}"
    # An address for each process that runs tests at the same time; a real block, for private ones are refused.
    subnet = f"44.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}.0/24"
    pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=subnet)])
    client.create_network(name, driver="bridge", ipam=pool, labels={LABEL: "1"})
    try:
        config = client.create_container_config(
            image,
            ["python3", "-c", SERVER, "172.17.0.1"],
            user="0",
            labels={LABEL: "1"},
            host_config=client.create_host_config(network_mode=name, init=True),
        )
        server = client.create_container_from_config(config, name=name)["Id"]
        try:
            client.start(server)
            eventually(lambda: b"ready" in client.logs(server), 20)
            address = client.inspect_container(server)["NetworkSettings"]["Networks"][name]["IPAddress"]
            yield Internet(client, name, address, server)
        finally:
            client.remove_container(server, force=True, v=True)
    finally:
        client.remove_network(name)
