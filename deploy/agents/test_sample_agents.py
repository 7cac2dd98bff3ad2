"""What holds for every sample agent: its manifest, its schemas, and that its example does what they say."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from deploy.agents.images.manifests import Source
from deploy.agents.samples import Ran, run, sources

CATEGORIES = {"writing", "data", "code", "security", "research", "documents", "finance", "productivity"}
LARGEST_RESULT = 1024 * 1024  # bytes
every = pytest.mark.parametrize("source", sources(), ids=lambda source: source.slug)
_ran: dict[str, Ran] = {}


def example(source: Source) -> Ran:
    """The run of the agent's example, made once."""
    if source.slug not in _ran:
        _ran[source.slug] = run(source.folder.name, source.manifest["example_input"])
    return _ran[source.slug]


def main_member(source: Source) -> str:
    """What the agent works on: the first member that must be there, else the first of all."""
    schema = source.manifest["input_schema"]
    return str([*schema["required"], *schema["properties"]][0])


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All schemas of objects inside a schema."""
    if schema.get("type") == "object":
        yield schema
    for member in schema.get("properties", {}).values():
        yield from objects(member)
    if "items" in schema:
        yield from objects(schema["items"])


def test_there_are_at_least_four() -> None:
    assert {source.slug for source in sources()} >= {
        "text-digest",
        "csv-profiler",
        "solidity-hazards",
        "secrets-and-pii-scrubber",
    }


@every
def test_manifest_is_one_the_marketplace_takes(source: Source) -> None:
    manifest = source.manifest

    assert manifest["category"] in CATEGORIES
    assert 20 <= len(manifest["tagline"]) <= 120
    assert 300 <= len(manifest["description"]) <= 5000
    assert set(manifest["prices"]) == {"ETH", "USDC"}
    assert all(float(price) > 0 for price in manifest["prices"].values())
    assert manifest["access_duration"] == 30 * 24 * 3600
    assert manifest["number"].count(".") == 2


@every
@pytest.mark.parametrize("name", ["input_schema", "output_schema"])
def test_schemas_are_valid_closed_and_described(source: Source, name: str) -> None:
    schema = source.manifest[name]

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["type"] == "object"
    for inner in objects(schema):
        assert inner["additionalProperties"] is False
        assert inner["title"]
        for key, member in inner["properties"].items():
            assert member.get("title"), key


@every
def test_every_input_is_explained_bounded_and_shown_by_an_example(source: Source) -> None:
    schema = source.manifest["input_schema"]

    for key, member in schema["properties"].items():
        assert member["description"].endswith("."), key
        if member.get("format") == "file":
            assert member["x-max-bytes"], key
            continue
        assert member["examples"], key
        Draft202012Validator(member).validate(member["examples"][0])
        if key not in schema["required"]:
            Draft202012Validator(member).validate(member["default"])
        if member["type"] == "string" and "enum" not in member:
            assert member["maxLength"], key
        if member["type"] in {"integer", "number"}:
            assert member["maximum"] > member["minimum"], key
        if member["type"] == "array" and "enum" not in member["items"]:
            assert member["maxItems"], key


@every
def test_example_fits_the_input_schema(source: Source) -> None:
    Draft202012Validator(source.manifest["input_schema"]).validate(source.manifest["example_input"])


@every
def test_result_of_the_example_fits_the_output_schema(source: Source) -> None:
    ran = example(source)

    Draft202012Validator(source.manifest["output_schema"], format_checker=FormatChecker()).validate(ran.result)


@every
def test_defaults_are_the_programs_own(source: Source) -> None:
    # given the example with only what is required, which leaves the rest to the program's defaults
    given = source.manifest["example_input"]
    schema = source.manifest["input_schema"]
    least = {key: given[key] for key in {*schema["required"], main_member(source)}}
    spelled = {key: member["default"] for key, member in schema["properties"].items() if "default" in member} | least

    # then it does the same as with the schema's defaults spelled out
    assert run(source.folder.name, least).stdout == run(source.folder.name, spelled).stdout


@every
def test_stdout_is_the_result_alone_and_the_log_is_worth_watching(source: Source) -> None:
    ran = example(source)

    assert ran.stdout.count(b"\n") == 1
    assert len(ran.log) >= 8
    assert all(len(line) < 300 for line in ran.log)
    assert not any("Traceback" in line for line in ran.log)


@every
def test_the_same_input_gives_the_same_result(source: Source) -> None:
    assert run(source.folder.name, source.manifest["example_input"]).stdout == example(source).stdout


@every
def test_an_unknown_member_is_named(source: Source) -> None:
    ran = run(source.folder.name, {**source.manifest["example_input"], "surprise": 1})

    assert (ran.code, ran.stdout) == (2, b"")
    assert "field 'surprise' is not known" in ran.log[0]


@every
@pytest.mark.parametrize("text", ["", " ", "\n\n", "\ufeff", "\x00"])
def test_nothing_to_work_on_is_said_in_a_sentence(source: Source, text: str) -> None:
    main = main_member(source)

    ran = run(source.folder.name, {main: text})

    assert (ran.code, ran.stdout) == (1, b"")
    assert ran.log[-1].startswith("error: ")
    assert ran.log[-1].endswith((".", "?"))


HOSTILE = {
    "controls": "".join(map(chr, range(32))) * 20 + "x",
    "surrogates": "a\ud800b \udfff c\ud83d\ude00 " * 50,
    "astral": "𝕳𝖊𝖑𝖑𝖔 🧵👩‍👩‍👧‍👦 " * 200,
    "right to left": "\u202eabc\u202c שלום עולם مرحبا بالعالم " * 100,
    "combining": "e\u0301\u0323" * 500 + "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢" * 30,
    "no spaces": "a" * 60_000,
    "digits": "1234567890" * 5_000,
    "quotes": "\"'`" * 10_000,
    "brackets": "([{<" * 5_000,
    "markup": "<script>alert(1)</script> | [x](javascript:alert(1)) ![y](http://z) `code` \\ **b** _i_\n" * 50,
    "every line end": "one\r\ntwo\rthree\u2028four\u2029five\x0bsix\x0cseven\x85eight\n" * 100,
    "half a million": "The quick brown fox, 12 years old, jumps over 3 lazy dogs in Berlin. " * 5_000,
}


@every
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_gives_a_valid_result_or_a_sentence(source: Source, name: str) -> None:
    main = main_member(source)

    ran = run(source.folder.name, {main: HOSTILE[name]})

    if ran.code == 0:
        Draft202012Validator(source.manifest["output_schema"]).validate(ran.result)
        assert len(ran.stdout) < LARGEST_RESULT
        assert b"\\u0000" not in ran.stdout  # PostgreSQL has no room for it
    else:
        assert (ran.code, ran.stdout) == (1, b"")
        assert ran.log[-1].startswith("error: ")
        assert not any("Traceback" in line for line in ran.log)
