"""Tests of json-patch: its patches applied give the second document, and building it anew gives the same module."""

import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import Engine, ExitTrap, Func, Linker, Module, Store, WasiConfig

from ..samples import run

HERE = Path(__file__).parent


def difference(before: str, after: str, **more: Any) -> Any:
    return run("json_patch", {"before": before, "after": after, **more})


def changes(before: Any, after: Any, **more: Any) -> list[tuple[str, str]]:
    ran = difference(json.dumps(before), json.dumps(after), **more)
    return [(change["op"], change["path"]) for change in json.loads(ran.result["patch"])]


def applied(document: Any, patch: list[dict[str, Any]]) -> Any:
    """RFC 6902, as far as add, remove and replace go."""
    root = {"": json.loads(json.dumps(document))}
    for change in patch:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in change["path"].split("/")]
        place: Any = root
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if isinstance(place, list):
            index = int(last)
            assert 0 <= index <= len(place) - (change["op"] != "add")
            place[index : index + (change["op"] != "add")] = [] if change["op"] == "remove" else [change["value"]]
        elif change["op"] == "remove":
            del place[last]
        else:
            assert (last in place) == (change["op"] == "replace")
            place[last] = change["value"]
    return root[""]


@pytest.fixture(scope="module")
def module() -> tuple[Engine, Module]:
    engine = Engine()
    return engine, Module.from_file(engine, HERE / "agent.wasm")


def in_process(module: tuple[Engine, Module], document: bytes, folder: Path) -> Any:
    """The result of a run without a new process, for many of them."""
    engine, compiled = module
    (folder / "in").write_bytes(document)
    store = Store(engine)
    wasi = WasiConfig()
    wasi.stdin_file, wasi.stdout_file, wasi.stderr_file = folder / "in", folder / "out", folder / "err"
    store.set_wasi(wasi)
    linker = Linker(engine)
    linker.define_wasi()
    start = linker.instantiate(store, compiled).exports(store)["_start"]
    assert isinstance(start, Func)
    with suppress(ExitTrap):  # without a result the next line fails
        start(store)
    return json.loads((folder / "out").read_bytes())


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aé😀/~`\n", max_size=4)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text("ab/~é", max_size=2), inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(before=VALUES, after=VALUES)
def test_patch_applied_to_the_first_gives_the_second(
    before: Any, after: Any, module: tuple[Engine, Module], tmp_path_factory: pytest.TempPathFactory
) -> None:
    document = json.dumps({"before": json.dumps(before), "after": json.dumps(after, indent=1)}).encode()
    folder = tmp_path_factory.getbasetemp() / "json-patch"
    folder.mkdir(exist_ok=True)

    result = in_process(module, document, folder)

    assert applied(before, json.loads(result["patch"])) == after
    assert result["equal"] == (result["patch"] == "[]")
    assert len(json.loads(result["patch"])) == result["added"] + result["removed"] + result["changed"]


def test_an_item_put_in_front_is_one_change() -> None:
    items = [{"id": number} for number in range(20)]
    assert changes(items, [{"id": 99}, *items]) == [("add", "/0")]


def test_layout_order_and_the_writing_of_numbers_do_not_count() -> None:
    ran = difference('{"a": 1.0, "b": [1e2]}', '{\n "b": [100],\n "a": 1\n}')
    assert (ran.result["equal"], ran.result["summary"]) == (True, "The documents are the same.")


def test_numbers_too_long_for_a_double_are_compared_digit_by_digit() -> None:
    ran = difference("[12345678901234567890]", "[12345678901234567891]")
    assert ran.result["patch"] == '[\n  {"op": "replace", "path": "/0", "value": 12345678901234567891}\n]'


def test_ignored_members_are_passed_over_at_any_depth() -> None:
    before, after = {"a": {"etag": 1, "x": 1}, "etag": 1}, {"a": {"etag": 2, "x": 2}}
    ran = difference(json.dumps(before), json.dumps(after), ignore=["etag"])
    assert (json.loads(ran.result["patch"]), ran.result["ignored"]) == (
        [{"op": "replace", "path": "/a/x", "value": 2}],
        2,
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": tru}', "A value is expected here (line 1, column 7)."),
        ('{\n  "a": 1,\n}', "A member's name in double quotes is expected here (line 3, column 1)."),
        ('["a', "A text does not end (line 1, column 4)."),
        ("[1 2]", "A comma or the closing bracket is expected here (line 1, column 4)."),
        ("[1] 2", "There is more after the end of the document (line 1, column 5)."),
        ('"\\x"', "There is no such escape in a text (line 1, column 3)."),
        ("-", "A digit is expected here (line 1, column 2)."),
        ("[" * 500, "This is nested more than 400 levels deep (line 1, column 401)."),
    ],
)
def test_broken_json_is_named_with_its_place(text: str, sentence: str) -> None:
    ran = difference(text, "1")
    assert (ran.code, ran.stdout) == (1, b"")
    assert ran.log[-1] == f"error: The document “before” is not JSON: {sentence}"


def test_building_it_anew_gives_the_same_module(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json", "assembly"):
        source = HERE / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    commands = (["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], ["npm", "run", "--silent", "build"])
    for command in commands:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=100)
    assert (tmp_path / "agent.wasm").read_bytes() == (HERE / "agent.wasm").read_bytes()
