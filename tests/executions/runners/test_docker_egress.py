"""A run that may reach hosts reaches those and nothing else, and every connection is on record."""

from collections.abc import Iterator
from typing import Any

import docker
import pytest
from django.test import Client
from pytest_django import Settings

from deploy.egress.build import build
from executions import logs
from executions.models import Execution
from executions.runners.base import Ending, Found, Verdict
from executions.runners.docker import DockerRunner, confinement
from tests.executions.conftest import RunNow, eventually
from tests.executions.images import python
from tests.executions.runners.internet import Internet, internet
from tests.executions.runners.recording import Ran, Recorder, run
from tests.factories.executions import ExecutionFactory, version_of
from wallets.models import User

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("egress")]

PROGRAM = """
import errno, json, os, socket, time, urllib.error, urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
proxy = urlsplit(os.environ["HTTP_PROXY"])
def get(url):
    try: return urllib.request.urlopen(url, timeout=5).read().decode()
    except urllib.error.HTTPError as e: return e.code
    except OSError as e: return type(e).__name__
def tunnel(target, data=b"ping"):
    with socket.create_connection((proxy.hostname, proxy.port), 5) as s:
        s.sendall(f"CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n".encode())
        status = s.recv(65536).split()[1].decode()
        if status != "200": return status
        s.sendall(data)
        return s.recv(65536).decode()
def direct(host, port):
    began = time.monotonic()
    try: socket.create_connection((host, port), 1); return "CONNECTED"
    except OSError as e: return errno.errorcode.get(e.errno, "timeout")
def resolve(name):
    began = time.monotonic()
    try: return socket.gethostbyname(name)
    except OSError: return "unknown" if time.monotonic() - began < 3 else "slow"
"""


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Labels name the installation by its database."""


@pytest.fixture(scope="module")
def world(engine: docker.APIClient, base_image: str) -> Iterator[Internet]:
    build()
    with internet(engine, base_image) as world:
        yield world


@pytest.fixture(autouse=True)
def _outside(world: Internet, settings: Settings) -> None:
    settings.EGRESS_NETWORK = world.network
    settings.EGRESS_NAMESERVERS = [world.address]


def answer(runner: DockerRunner, image: str, text: str, *hosts: str) -> tuple[Any, Ran]:
    ran = run(runner, image, python(PROGRAM + text), hosts=hosts, timeout=60)
    assert ran.outcome.ending == Ending.EXITED, (ran.outcome, ran.sink)
    return ran.output, ran


def test_declared_hosts_are_reached_and_recorded(runner: DockerRunner, scripted: str, world: Internet) -> None:
    text = """
print(json.dumps([get("http://api.test/"), tunnel("api.test:443", b"x" * 5000)[:3], tunnel("www.api.test:443")]))
"""
    got, ran = answer(runner, scripted, text, "api.test:80", "api.test:443", "*.api.test:443")
    assert got == ["hello api.test None None", "xxx", "ping"]
    seen = {(one.host, one.port): one for one in ran.sink.connections}
    assert {one.verdict for one in ran.sink.connections} == {Verdict.ALLOWED}
    assert seen.keys() == {("api.test", 80), ("api.test", 443), ("www.api.test", 443)}
    tunnelled = [one for one in ran.sink.connections if one.host == "api.test" and one.port == 443]
    assert len(tunnelled) == 1
    assert 5000 < tunnelled[0].sent < 5300
    assert 5000 <= tunnelled[0].received < 5300
    assert ran.sink.events[0] == "It may connect to api.test:80, api.test:443, *.api.test:443"


def test_everything_else_is_refused_and_recorded(runner: DockerRunner, scripted: str, world: Internet) -> None:
    text = f"""
targets = ["other.test:443", "api.test:80", "api.test:22", "{world.address}:443", "inside.test:443", "meta.test:443",
           "loop.test:443", "host.test:443", "mixed.test:443", "127.0.0.1:3128", "[::1]:443", "169.254.169.254:80"]
result = {{t: tunnel(t) for t in targets}}
result["manager"] = get(f"http://{{proxy.netloc}}/squid-internal-mgr/info")
result["by address"] = get("http://{world.address}/")
print(json.dumps(result))
"""
    hosts = ("api.test:443", "inside.test:443", "meta.test:443", "loop.test:443", "host.test:443", "mixed.test:443")
    got, ran = answer(runner, scripted, text, *hosts)
    assert [where for where, status in got.items() if status not in {"403", 403, 400, 404}] == []
    assert {one.verdict for one in ran.sink.connections} == {Verdict.REFUSED}
    refused = {(one.host, one.port) for one in ran.sink.connections}
    assert {("other.test", 443), ("inside.test", 443), ("169.254.169.254", 80), (world.address, 443)} <= refused


def test_nothing_goes_past_the_proxy(
    runner: DockerRunner, scripted: str, world: Internet, engine: docker.APIClient
) -> None:
    before = len(world.questions())
    gateway = engine.inspect_network("bridge")["IPAM"]["Config"][0].get("Gateway", "172.17.0.1")
    text = f"""
own = socket.gethostbyname(socket.gethostname())
network = own.rsplit(".", 1)[0]
targets = [("{world.address}", 443), ("{world.address}", 53), ("{gateway}", 22),
          (network + ".1", 22), ("169.254.169.254", 80), ("1.1.1.1", 443), (proxy.hostname, 22), (proxy.hostname, 53)]
with ThreadPoolExecutor(9) as pool:
    result = {{str(t): got for t, got in zip(targets, pool.map(lambda t: direct(*t), targets))}}
result["names"] = [resolve("secret-data.other.test"), resolve("api.test"), resolve("proxy")]
result["interfaces"] = sorted(name for _, name in socket.if_nameindex())
print(json.dumps(result))
"""
    got, _ = answer(runner, scripted, text, "api.test:443")
    names, interfaces = got.pop("names"), got.pop("interfaces")
    assert "CONNECTED" not in got.values()
    assert names[:2] == ["unknown", "unknown"]
    assert interfaces == ["eth0", "lo"]
    assert len(world.questions()) == before  # nothing leaks through names either


def test_a_name_that_moves_inside_after_the_check_gains_nothing(
    runner: DockerRunner, scripted: str, world: Internet
) -> None:
    """Its answers may be kept for no time at all; the first is public, all others are inside."""
    text = 'print(json.dumps([tunnel("rebind.test:443") for _ in range(3)]))'
    got, _ = answer(runner, scripted, text, "rebind.test:443")
    assert set(got) <= {"ping", "403"}
    again, _ = answer(runner, scripted, text, "rebind.test:443")  # a proxy of its own, which asks anew
    assert again == ["403"] * 3


def test_the_kernel_refuses_what_squid_would_let_through(
    runner: DockerRunner, scripted: str, world: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a name had changed between squid's check and its connection."""
    monkeypatch.setattr("executions.runners.docker.squid.PRIVATE", ("240.0.0.0/4",))
    text = 'print(json.dumps([tunnel(t + ".test:443") for t in ("inside", "meta", "host")]))'
    got, ran = answer(runner, scripted, text, "inside.test:443", "meta.test:443", "host.test:443")
    assert got == ["503"] * 3
    assert {one.verdict for one in ran.sink.connections} == {Verdict.FAILED}


def test_a_host_that_does_not_answer_is_a_failed_connection(runner: DockerRunner, scripted: str) -> None:
    got, ran = answer(runner, scripted, 'print(json.dumps(tunnel("nowhere.test:443")))', "nowhere.test:443")
    assert got in {"500", "503"}
    assert [one.verdict for one in ran.sink.connections] == [Verdict.FAILED]


def test_no_secret_and_no_trace(runner: DockerRunner, scripted: str, engine: docker.APIClient) -> None:
    class Looking(Recorder):
        def started(self, handle: str) -> bool:
            found.extend(engine.networks(filters=mine))
            proxies.extend(engine.containers(filters={"label": [*mine["label"], f"{confinement.LABEL}.part=egress"]}))
            return super().started(handle)

    found: list[Any] = []
    proxies: list[Any] = []
    mine = {"label": [f"{confinement.LABEL}.instance={confinement.instance()}"]}
    run(runner, scripted, python(PROGRAM + "print('[]')"), hosts=("api.test:443",), sink=Looking())
    assert (len(found), len(proxies)) == (1, 1)
    assert found[0]["Internal"] is True
    eventually(lambda: not engine.networks(filters=mine))


def test_the_reaper_finds_all_parts_in_an_order_in_which_they_can_go(runner: DockerRunner, scripted: str) -> None:
    class Reaped(Recorder):
        def started(self, handle: str) -> bool:
            found.extend(runner.containers())
            for one in found:
                runner.remove(one.handle)
            left.extend(runner.containers())
            return super().started(handle)

    found: list[Found] = []
    left: list[Found] = []
    ran = run(runner, scripted, python("import time; time.sleep(60)"), hosts=("api.test:443",), sink=Reaped())
    assert [one.handle.startswith("network:") for one in found] == [False, False, True]
    assert len({(one.execution_id, one.attempt) for one in found}) == 1
    assert (left, ran.outcome.ending) == ([], Ending.INFRASTRUCTURE)


def test_without_the_proxys_image(runner: DockerRunner, scripted: str, settings: Settings) -> None:
    settings.EGRESS_IMAGE = "agentnexus/egress-proxy:never-built"
    ran = run(runner, scripted, {}, hosts=("api.test:443",))
    assert ran.outcome.ending == Ending.INFRASTRUCTURE
    assert "agentnexus/egress-proxy:never-built" in ran.outcome.message
    eventually(lambda: not runner.containers())


@pytest.mark.django_db(transaction=True)
def test_buyer_and_staff_see_the_record(
    scripted: str, run_now: RunNow, api: Any, client: Client, stranger: User, staff: User
) -> None:
    text = 'tunnel("api.test:443"); tunnel("api.test:443", b"x" * 3000); tunnel("evil.test:443"); print(\'{"a": 1}\')'
    version = version_of(scripted, hosts=["api.test:443"])
    execution = run_now(ExecutionFactory.create(version=version, input=python(PROGRAM + text)))
    assert execution.status == Execution.Status.SUCCEEDED, execution.error
    url = f"/api/v1/executions/{execution.pk}/connections"
    rows = api(execution.user).get(url).json()
    assert [(row["host"], row["port"], row["verdict"], row["attempt"]) for row in rows] == [
        ("api.test", 443, "allowed", 1),
        ("api.test", 443, "allowed", 1),
        ("evil.test", 443, "refused", 1),
    ]
    assert api(stranger).get(url).status_code == 404
    assert len(api(staff).get(url).json()) == 3
    client.force_login(execution.user)
    page = client.get(f"/executions/{execution.pk}/").content.decode()
    assert "evil.test:443" in page
    assert "Refused" in page
    log = [line.text for line in logs.read(execution.pk).lines]
    assert {"Connected to api.test:443", "Refused: a connection to evil.test:443"} <= set(log)
    client.force_login(staff)
    assert "evil.test" in client.get(f"/admin/executions/execution/{execution.pk}/change/").content.decode()
