"""OCI runtimes that a version may be run under: how they are called, and the labels of machines that have them."""

from collections.abc import Iterable

from django.conf import settings

GPU = "gpu"  # the label of machines that have some
# What a machine's runtime can do beside running an agent is told by the runtime's label with one of these.
NETWORK, GPUS = "+net", "+gpu"
_TITLES = {"runsc": "gVisor", "kata": "Kata Containers", "runc": "runc", "crun": "crun", "nvidia": "NVIDIA"}


def title(name: str) -> str:
    """What people call it: `gVisor` for `runsc`; of others the name itself."""
    kind, _, variant = name.partition("-")
    known = _TITLES.get(kind)
    if known is None or variant == "runtime":
        return known or name
    return f"{known} ({name})" if variant else known


def effective(runtime: str) -> str:
    """The runtime that a version gets which asks for `runtime`; "" is the engine's own."""
    return runtime or settings.EXECUTION_RUNTIME


def surroundings(runtime: str) -> str:
    """What is around a run of a version that asks for `runtime`: `gVisor`, or `A container`."""
    return title(effective(runtime)) or "A container"


def choices() -> list[tuple[str, str]]:
    """What a version may ask for, with what to call it."""
    usual = surroundings("")
    return [
        ("", f"{usual} (the platform's usual)"),
        *((name, title(name)) for name in settings.EXECUTION_RUNTIMES if name != settings.EXECUTION_RUNTIME),
    ]


def advice(labels: Iterable[str]) -> str:
    """What to know before choosing; `labels` are those of all machines."""
    known = frozenset(labels)
    sentences = []
    if any(title(name).startswith("gVisor") for name in settings.EXECUTION_RUNTIMES):
        sentences.append(
            "gVisor puts a kernel of its own between the agent and the machine: a stronger wall. A run starts up to a "
            "second later, and programs that make many system calls are slower."
        )
    without = [name for name in settings.EXECUTION_RUNTIMES if name in known and f"{name}{NETWORK}" not in known]
    sentences += [f"Under {title(name)} an agent has no network here: it cannot have hosts." for name in without]
    return " ".join(sentences)


def needs(*, runtime: str, gpus: int, hosts: Iterable[str]) -> list[str]:
    """Labels of the machines that can run what asks for this."""
    name = effective(runtime)
    wanted = [GPU] if gpus else []
    if name:
        wanted.append(name)
        wanted += [f"{name}{NETWORK}"] if any(hosts) else []
        wanted += [f"{name}{GPUS}"] if gpus else []
    return wanted


def in_words(labels: Iterable[str]) -> str:
    """`GPUs and a network under gVisor` for labels that something needs."""
    known = frozenset(labels)
    under = sorted(label for label in known if label.endswith((NETWORK, GPUS)))
    names = {label.rpartition("+")[0] for label in under}
    implied = names | ({GPU} if any(label.endswith(GPUS) for label in under) else set())
    words = ["GPUs" if label == GPU else title(label) for label in sorted(known - implied - {*under})]
    for name in sorted(names):
        given = [what for suffix, what in ((GPUS, "GPUs"), (NETWORK, "a network")) if f"{name}{suffix}" in known]
        words.append(f"{' and '.join(given)} under {title(name)}")
    *most, last = words or [""]
    return f"{', '.join(most)} and {last}" if most else last


def described(labels: Iterable[str]) -> list[str]:
    """`gVisor (runsc), no network` for each runtime among a machine's labels; GPUs count where it has some."""
    known = frozenset(labels)
    described = []
    for name in sorted(known & _names()):
        called = title(name) if name in title(name) else f"{title(name)} ({name})"
        lacks = ["no network"] if f"{name}{NETWORK}" not in known else []
        lacks += ["no GPUs"] if GPU in known and f"{name}{GPUS}" not in known else []
        described.append(", ".join([called, *lacks]))
    return described


def others(labels: Iterable[str]) -> list[str]:
    """A machine's labels that are not about runtimes."""
    return [label for label in labels if label.partition("+")[0] not in _names()]


def _names() -> frozenset[str]:
    return frozenset({*settings.EXECUTION_RUNTIMES, settings.EXECUTION_RUNTIME} - {""})
