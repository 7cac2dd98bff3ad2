"""Holding input and result against the manifest's schemas, where jsonschema is installed."""

from typing import Any

SHOWN = 10


class NotCheckedError(Exception):
    """The package for it is not installed, or the schema itself cannot be used."""


def problems(document: Any, schema: Any) -> list[str]:
    """A sentence for each member that does not fit, its JSON pointer first. Raises NotCheckedError."""
    try:
        from jsonschema import Draft202012Validator
        from referencing import Registry
    except ImportError:
        raise NotCheckedError(
            "for this, install the package with its extra: pip install 'agentnexus-agent[check]'"
        ) from None
    try:
        validator = Draft202012Validator(
            schema, registry=Registry(), format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        found = sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    except Exception as error:  # noqa: BLE001  a broken schema breaks the validator anywhere
        raise NotCheckedError(f"the schema cannot be used: {str(error).splitlines()[0][:200]}") from None
    shown = [f"{_pointer(error.absolute_path)}: {_shortened(error.message)}" for error in found[:SHOWN]]
    return shown + ([f"… and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])


def _pointer(path: Any) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path) or "/"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:120]} … {line[-70:]}"
