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
    """`gVisor, a network under gVisor and GPUs` for labels that something needs."""
    words = [_in_words(label) for label in sorted(labels)]
    *most, last = words or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _in_words(label: str) -> str:
    if label == GPU:
        return "GPUs"
    for suffix, what in ((NETWORK, "a network"), (GPUS, "GPUs")):
        if label.endswith(suffix):
            return f"{what} under {title(label.removesuffix(suffix))}"
    return title(label)


def described(labels: Iterable[str]) -> list[str]:
    """`gVisor (runsc), without a network or GPUs` for each runtime among a machine's labels."""
    known = frozenset(labels)
    described = []
    for name in sorted(known & _names()):
        lacks = [what for suffix, what in ((NETWORK, "a network"), (GPUS, "GPUs")) if f"{name}{suffix}" not in known]
        called = title(name) if name in title(name) else f"{title(name)} ({name})"
        described.append(f"{called}, without {' or '.join(lacks)}" if lacks else called)
    return described


def others(labels: Iterable[str]) -> list[str]:
    """A machine's labels that are not about runtimes."""
    return [label for label in labels if label.partition("+")[0] not in _names()]


def _names() -> frozenset[str]:
    return frozenset({*settings.EXECUTION_RUNTIMES, settings.EXECUTION_RUNTIME} - {""})
