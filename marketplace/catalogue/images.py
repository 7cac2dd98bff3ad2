"""Image references: `[registry/]repository@sha256:<64 hex digits>`, so that what was reviewed is what runs.

Grammar after the distribution specification's reference; tags are refused because they can be moved.
"""

import re

MAXIMUM_LENGTH = 300

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?P<registry>{_REGISTRY})/)?(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)@sha256:(?P<digest>[0-9a-f]{{64}})"
)


def clean_image(value: object) -> str:
    """The reference. Raises ValueError with a sentence for the reader."""
    reference = value.strip() if isinstance(value, str) else ""
    if not reference:
        raise ValueError("This is required.")
    if len(reference) > MAXIMUM_LENGTH:
        raise ValueError(f"Enter at most {MAXIMUM_LENGTH} characters.")
    if "@" not in reference:
        raise ValueError(
            "Name the image by its digest, as in registry.example/you/agent@sha256:…; "
            "a tag can be moved to another image."
        )
    if not _REFERENCE.fullmatch(reference):
        raise ValueError(
            "Enter [registry/]repository@sha256: followed by 64 lower-case hexadecimal digits, without a tag."
        )
    return reference


def repository_of(reference: str) -> str:
    """Where a valid reference points, written one way: with its registry, Docker Hub's short forms spelt out."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return ""
    registry, repository = match["registry"] or "", match["repository"]
    # The first part is a registry only when it looks like a host; else it is a part of the repository's path.
    if registry and not ("." in registry or ":" in registry or registry == "localhost"):
        registry, repository = "", f"{registry}/{repository}"
    registry = registry.lower() or "docker.io"
    if registry in {"index.docker.io", "registry-1.docker.io"}:
        registry = "docker.io"
    if registry == "docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    return f"{registry}/{repository}"


def clean_registry(value: str) -> str:
    """A registry's host with its port, as `repository_of` writes it. Raises ValueError with a sentence."""
    host = value.strip().lower().removeprefix("https://").rstrip("/")
    if not re.fullmatch(_REGISTRY, host) or not ("." in host or ":" in host or host == "localhost"):
        raise ValueError("Enter the registry's host, as in registry.example or ghcr.io.")
    return "docker.io" if host in {"index.docker.io", "registry-1.docker.io"} else host
