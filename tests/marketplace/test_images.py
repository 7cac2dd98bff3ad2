"""Image references."""

import re
from typing import Any

import pytest

from marketplace.catalogue.images import clean_image, repository_of

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    "name",
    [
        "agent",
        "agentnexus/text-digest",
        "a/b/c_d/e__f/g--h.i",
        "localhost:5000/agent",
        "registry.example.com/team/agent",
        "Registry.Example:65535/team/agent",
        "127.0.0.1:5000/a",
    ],
)
def test_reference_by_digest_is_accepted(name: Any) -> None:
    assert clean_image(f"  {name}@{DIGEST}\n") == f"{name}@{DIGEST}"


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("", "This is required."),
        (None, "This is required."),
        (7, "This is required."),
        ("agent", "Name the image by its digest"),
        ("agent:latest", "Name the image by its digest"),
        (f"agent:1.0@{DIGEST}", "without a tag"),
        (f"Agent@{DIGEST}", "lower-case hexadecimal"),
        (f"agent@{DIGEST[:-1]}", "64 lower-case"),
        (f"agent@{DIGEST}0", "64 lower-case"),
        (f"agent@{DIGEST.upper()}", "sha256:"),
        (f"agent@sha512:{'ab' * 64}", "sha256:"),
        (f"/agent@{DIGEST}", "[registry/]"),
        (f"a//b@{DIGEST}", "[registry/]"),
        (f"../a@{DIGEST}", "[registry/]"),
        (f"a b@{DIGEST}", "[registry/]"),
        (f"agent@{DIGEST}\n--privileged", "[registry/]"),
        (f"https://registry.example/agent@{DIGEST}", "[registry/]"),
        (f"registry.example:123456/agent@{DIGEST}", "[registry/]"),
        (f"{'a' * 300}@{DIGEST}", "at most 300 characters"),
    ],
)
def test_other_reference_is_refused_with_a_sentence(reference: Any, sentence: Any) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        clean_image(reference)


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("you/agent", "docker.io/you/agent"),
        ("agent", "docker.io/library/agent"),
        ("docker.io/agent", "docker.io/library/agent"),
        ("index.docker.io/you/agent", "docker.io/you/agent"),
        ("Registry.example/you/agent", "registry.example/you/agent"),
        ("localhost:5000/you/agent", "localhost:5000/you/agent"),
        ("localhost/agent", "localhost/agent"),
    ],
)
def test_repository_is_written_one_way(name: str, repository: str) -> None:
    assert repository_of(f"{name}@sha256:{'a' * 64}") == repository
