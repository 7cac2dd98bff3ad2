"""What a version asks of the machine that runs it, within what the platform allows."""

from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.conf import settings

from marketplace.catalogue import offers, runtimes
from marketplace.catalogue.hosts import clean_hosts
from marketplace.catalogue.runtimes import GPU

if TYPE_CHECKING:
    from marketplace.catalogue.models import AgentVersion

MIB = 1024 * 1024
LEAST_MEMORY = 16 * MIB
LEAST_NANO_CPUS = 100_000_000
LEAST_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Demands:
    """Columns of a version. Sizes in bytes, times in seconds, processors in billionths; None is the platform's usual.

    `hosts` are `name:port`; `runtime` names an OCI runtime, "" is the platform's usual.
    """

    memory_bytes: int | None = None
    nano_cpus: int | None = None
    timeout_seconds: int | None = None
    gpus: int = 0
    runtime: str = ""
    hosts: tuple[str, ...] = ()

    def columns(self) -> dict[str, Any]:
        """By name of the column."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"hosts": list(self.hosts)}


@dataclass(frozen=True, slots=True)
class Share:
    """What a run of a version gets: its own figures, or the platform's usual ones."""

    memory_bytes: int
    nano_cpus: int
    timeout_seconds: int

    @property
    def cpus(self) -> str:
        """`0.5` for half a core."""
        return f"{self.nano_cpus / 1_000_000_000:g}"


def share_of(version: "AgentVersion | None") -> Share:
    """The figures that hold for a run. A maximum that was lowered since the version was added counts."""
    memory, nano, seconds = (
        (version.memory_bytes, version.nano_cpus, version.timeout_seconds) if version else (None, None, None)
    )
    return Share(
        memory_bytes=min(memory or settings.EXECUTION_MEMORY_BYTES, maximum_memory()),
        nano_cpus=min(nano or settings.EXECUTION_NANO_CPUS, maximum_nano_cpus()),
        timeout_seconds=min(seconds or settings.EXECUTION_TIMEOUT_SECONDS, maximum_seconds()),
    )


def clean_demands(
    *,
    memory_bytes: object = None,
    cpus: object = None,
    timeout_seconds: object = None,
    gpus: object = 0,
    runtime: object = "",
    hosts: object = (),
) -> tuple[Demands, dict[str, str]]:
    """The demands and a sentence for each refused one, by name. `cpus` is a decimal number of cores."""
    problems: dict[str, str] = {}

    def tried(name: str, attempt: Any, otherwise: Any) -> Any:
        try:
            return attempt()
        except ValueError as exc:
            problems[name] = str(exc)
            return otherwise

    memory = tried("memory_bytes", lambda: _whole(memory_bytes), None)
    if memory is not None and not LEAST_MEMORY <= memory <= maximum_memory():
        problems["memory_bytes"] = f"Between {LEAST_MEMORY // MIB} and {maximum_memory() // MIB:,} MiB."
    nano = tried("cpus", lambda: _nano(cpus), None)
    if nano is not None and not LEAST_NANO_CPUS <= nano <= maximum_nano_cpus():
        problems["cpus"] = f"Between {LEAST_NANO_CPUS / 1e9:g} and {maximum_nano_cpus() / 1e9:g} cores."
    seconds = tried("timeout_seconds", lambda: _whole(timeout_seconds), None)
    if seconds is not None and not LEAST_SECONDS <= seconds <= maximum_seconds():
        problems["timeout_seconds"] = f"Between {LEAST_SECONDS} and {maximum_seconds():,} seconds."
    cards = tried("gpus", lambda: _whole(gpus), 0) or 0
    if not 0 <= cards <= settings.EXECUTION_MAX_GPUS:
        problems["gpus"] = (
            f"At most {settings.EXECUTION_MAX_GPUS}."
            if settings.EXECUTION_MAX_GPUS
            else "This platform has no machines with GPUs."
        )
    chosen = runtime.strip() if isinstance(runtime, str) else str(runtime)
    if chosen and chosen not in settings.EXECUTION_RUNTIMES:
        offered = ", ".join(settings.EXECUTION_RUNTIMES)
        problems["runtime"] = (
            f"This platform offers {offered}." if offered else "This platform has one runtime only: leave this empty."
        )
    allowed = tried("hosts", lambda: clean_hosts(hosts or (), settings.EXECUTION_MAX_HOSTS), [])
    demands = Demands(memory, nano, seconds, cards, chosen, tuple(allowed))
    return demands, problems or not_offered(demands)


def needs(demands: "Demands | AgentVersion") -> list[str]:
    """Labels of the machines that can run it."""
    return runtimes.needs(runtime=demands.runtime, gpus=demands.gpus, hosts=demands.hosts)


def not_offered(demands: Demands) -> dict[str, str]:
    """A sentence, by name, for what no machine has: such a version would wait for ever."""
    asked = [name for name in ("runtime", "gpus", "hosts", "memory_bytes") if getattr(demands, name)]
    machines = offers.current() if asked else None
    if machines is None:
        return {}
    needed, memory = frozenset(needs(demands)), demands.memory_bytes or 0
    runtime = runtimes.effective(demands.runtime)
    called, otherwise = runtimes.title(runtime), "leave this empty, or ask the operator of this platform."
    missing = needed.difference(*(machine.labels for machine in machines))
    largest = max(machine.memory_bytes for machine in machines)
    problems = {}
    if memory > largest:
        problems["memory_bytes"] = f"The largest machine has {largest // MIB:,} MiB for agents."
    if GPU in missing:
        problems["gpus"] = f"No machine has GPUs at the moment: {otherwise}"
    elif f"{runtime}{runtimes.GPUS}" in missing:
        problems["gpus"] = f"No machine gives agents GPUs under {called}: {otherwise}"
    if demands.runtime in missing:
        problems["runtime"] = f"No machine has {called} at the moment: {otherwise}"
    elif f"{runtime}{runtimes.NETWORK}" in missing:
        problems["hosts"] = f"No machine gives agents a network under {called}: {otherwise}"
    if not problems and not any(needed <= one.labels and memory <= one.memory_bytes for one in machines):
        problems[asked[0]] = "No single machine has all that this version asks for: ask for less."
    return problems


def maximum_memory() -> int:
    """Bytes a version may ask for."""
    return max(settings.EXECUTION_MAX_MEMORY_BYTES, settings.EXECUTION_MEMORY_BYTES)


def maximum_nano_cpus() -> int:
    """Billionths of a core a version may ask for."""
    return max(settings.EXECUTION_MAX_NANO_CPUS, settings.EXECUTION_NANO_CPUS)


def maximum_seconds() -> int:
    """How long a version may ask to run."""
    return max(settings.EXECUTION_MAX_TIMEOUT_SECONDS, settings.EXECUTION_TIMEOUT_SECONDS)


def _whole(value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip().isdecimal():
        raise ValueError("Enter a whole number.")
    return int(str(value)[:20])


def _nano(value: object) -> int | None:
    if value is None or value == "":
        return None
    try:
        cores = Decimal(str(value))
    except InvalidOperation as exc:
        raise ValueError("Enter a number of cores, such as 0.5.") from exc
    if isinstance(value, bool) or not cores.is_finite() or not 0 <= cores < 10_000:
        raise ValueError("Enter a number of cores, such as 0.5.")
    return int(cores * 1_000_000_000)
