"""Which WebAssembly modules are taken, and how they become versions."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from wasmtime import wat2wasm

from marketplace.catalogue.modules.checking import check_module
from marketplace.catalogue.modules.storing import name_of, read_module, store_module
from marketplace.catalogue.modules.structure import Kind, read_structure
from marketplace.catalogue.versions import add_version
from marketplace.errors import InvalidVersionError
from marketplace.models import Agent, AgentVersion, WasmModule
from tests.account_fixtures import ApiFor
from tests.factories.marketplace import INPUT_SCHEMA, OUTPUT_SCHEMA, AgentFactory, CreatorFactory
from wallets.models import User

WASI = '(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))'
MEMORY = '(memory (export "memory") 1)'
START = '(func (export "_start"))'
COMMAND = bytes(wat2wasm(f"(module {WASI} {MEMORY} {START})"))


@pytest.fixture(autouse=True)
def _private_storage(settings: Settings, tmp_path: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "private": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "files")},
        }
    }


def test_structure_of_a_command() -> None:
    found = read_structure(COMMAND)
    assert found.imports == [("wasi_snapshot_preview1", "proc_exit", Kind.FUNCTION)]
    assert found.exports == {"memory": Kind.MEMORY, "_start": Kind.FUNCTION}
    assert found.initial_memory == 65_536


def test_a_command_is_taken() -> None:
    check_module(COMMAND)


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (b"", "This is not a WebAssembly module"),
        (b"#!/bin/sh\necho hi", "This is not a WebAssembly module"),
        (b"\0asm\x0d\0\1\0", "This is a WebAssembly component"),
        (COMMAND[:-3], "This WebAssembly module is broken or cut off."),
        (COMMAND[:8] + b"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "This WebAssembly module is broken"),
        (wat2wasm(f"(module {MEMORY})"), "The module is not a WASI command"),
        (wat2wasm(f"(module {START})"), "The module does not export its memory"),
        (
            wat2wasm(f'(module (import "env" "system" (func)) {MEMORY} {START})'),
            "The module imports env.system; only functions of wasi_snapshot_preview1 can be given.",
        ),
        (
            wat2wasm(f'(module (import "wasi_snapshot_preview1" "memory" (memory 1)) {START})'),
            "The module imports wasi_snapshot_preview1.memory; ",
        ),
        (wat2wasm(f'(module (memory (export "memory") 60000) {START})'), "The module begins with 3750 MiB of memory;"),
        (
            wat2wasm(f'(module (memory (export "memory") i64 1) {START})'),
            "The module is not valid WebAssembly: ",
        ),
        (
            COMMAND.replace(b"\x02\x00\x0b", b"\x02\x00\x1a", 1),
            "The module is not valid WebAssembly: ",
        ),
    ],
)
def test_everything_else_is_refused_with_a_sentence(module: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + sentence.replace("(", r"\(").replace(".", r"\.")):
        check_module(bytes(module))


def test_size_is_capped(settings: Settings) -> None:
    settings.MODULE_BYTES = len(COMMAND) - 1
    with pytest.raises(ValueError, match=rf"^A module may have at most {len(COMMAND) - 1} bytes; this one has"):
        check_module(COMMAND)


@pytest.mark.parametrize("cut", range(len(COMMAND)))
def test_a_module_cut_off_anywhere_raises_nothing_else(cut: int) -> None:
    with pytest.raises(ValueError, match="module"):
        check_module(COMMAND[:cut])


def values(**changes: Any) -> dict[str, Any]:
    return {"number": "1.0.0", "input_schema": INPUT_SCHEMA, "output_schema": OUTPUT_SCHEMA} | changes


@pytest.mark.django_db
def test_a_module_becomes_a_version() -> None:
    agent = AgentFactory.create()
    module = store_module(agent.creator, COMMAND)
    version = add_version(agent, agent.creator, **values(module=module.sha256))
    version.refresh_from_db()
    digest = hashlib.sha256(COMMAND).hexdigest()
    assert (version.kind, version.image, version.module) == ("wasm", "", digest)
    assert version.reference == f"wasm@sha256:{digest}"
    assert read_module(digest) == COMMAND


@pytest.mark.django_db
def test_the_same_module_is_kept_once_and_each_creator_brings_it() -> None:
    one, other = CreatorFactory.create(), CreatorFactory.create()
    assert store_module(one, COMMAND) == store_module(one, COMMAND)
    agent = AgentFactory.create(creator=other)
    digest = hashlib.sha256(COMMAND).hexdigest()
    # somebody else's module cannot be published by knowing its digest
    with pytest.raises(InvalidVersionError) as refused:
        add_version(agent, other, **values(module=digest))
    assert refused.value.fields == {
        "module": "You have brought no module with this SHA-256; send the module itself first."
    }
    store_module(other, COMMAND)
    assert add_version(agent, other, **values(module=digest)).kind == "wasm"
    assert WasmModule.objects.count() == 2


@pytest.mark.django_db
def test_image_and_module_together_are_refused() -> None:
    agent = AgentFactory.create()
    module = store_module(agent.creator, COMMAND)
    with pytest.raises(InvalidVersionError) as refused:
        add_version(agent, agent.creator, **values(module=module.sha256, image=f"a/b@sha256:{'0' * 64}"))
    assert refused.value.fields == {"module": "Give an image or a module, not both."}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["input_schema", "output_schema"])
def test_modules_take_and_give_no_files(name: str) -> None:
    agent = AgentFactory.create()
    module = store_module(agent.creator, COMMAND)
    schema = {"type": "object", "properties": {"a": {"type": "string", "format": "file"}}}
    with pytest.raises(InvalidVersionError) as refused:
        add_version(agent, agent.creator, **values(module=module.sha256, example_input=None, **{name: schema}))
    sentence = "A WebAssembly module cannot take or give files; publish a container image."
    assert refused.value.fields == {f"/{name}": sentence}


@pytest.mark.django_db
def test_a_damaged_file_is_noticed() -> None:
    module = store_module(CreatorFactory.create(), COMMAND)
    storage = storages["private"]
    storage.delete(name_of(module.sha256))
    with pytest.raises(FileNotFoundError):
        read_module(module.sha256)
    with storage.open(name_of(module.sha256), "wb") as file:
        file.write(b"something else")
    with pytest.raises(ValueError, match="something else"):
        read_module(module.sha256)


@pytest.mark.django_db
def test_over_the_api(api: Callable[[User | None], Any]) -> None:
    agent: Agent = AgentFactory.create()
    client = api(agent.creator)
    sent = client.post("/api/v1/modules", COMMAND, content_type="application/wasm")
    assert (sent.status_code, sent.json()["size"]) == (201, len(COMMAND))
    made = client.post(f"/api/v1/agents/{agent.slug}/versions", values(module=sent.json()["sha256"]))
    assert made.status_code == 201
    assert (made.json()["kind"], made.json()["module"], made.json()["image"]) == ("wasm", sent.json()["sha256"], "")


@pytest.mark.django_db
def test_refusals_over_the_api(api: Callable[[User | None], Any], settings: Settings) -> None:
    client = api(CreatorFactory.create())
    refused = client.post("/api/v1/modules", b"\0asm", content_type="application/wasm")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/module"
    settings.MODULE_BYTES = 10
    assert client.post("/api/v1/modules", COMMAND, content_type="application/wasm").status_code == 422
    assert client.post("/api/v1/modules", {"module": 1}).status_code == 415
    assert api(None).post("/api/v1/modules", COMMAND, content_type="application/wasm").status_code == 401
    assert not WasmModule.objects.exists()


@pytest.mark.django_db
def test_version_form_takes_a_module(client: Any) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    agent = AgentFactory.create()
    client.force_login(agent.creator, backend="wallets.signin.backends.WalletBackend")
    fields = {
        "number": "1.0.0",
        "kind": "wasm",
        "input_schema": '{"type": "object"}',
        "output_schema": '{"type": "object"}',
    }
    address = f"/agents/{agent.slug}/versions/new/"
    # without a file, and with a wrong one
    missing = client.post(address, fields)
    assert missing.status_code == 422
    assert "Choose the module" in missing.content.decode()
    wrong = client.post(address, fields | {"module": SimpleUploadedFile("a.wasm", b"MZ")})
    assert wrong.status_code == 422
    assert "This is not a WebAssembly module" in wrong.content.decode()
    # with the right one, and then the next version with the same
    done = client.post(address, fields | {"module": SimpleUploadedFile("a.wasm", COMMAND)})
    assert done.status_code == 302
    assert client.post(address, fields | {"number": "1.0.1"}).status_code == 302
    modules = list(AgentVersion.objects.filter(agent=agent).values_list("kind", "module"))
    assert modules == [("wasm", hashlib.sha256(COMMAND).hexdigest())] * 2
    # and back to a container
    image = {"number": "1.0.2", "kind": "container", "image": f"a/b@sha256:{'0' * 64}"}
    assert client.post(address, fields | image).status_code == 302


@pytest.mark.django_db
def test_the_page_and_the_api_say_that_modules_have_no_files(api: ApiFor, client: Client) -> None:
    agent = AgentFactory.create()
    module = store_module(agent.creator, COMMAND)
    schema = {"type": "object", "properties": {"a": {"type": "string", "format": "file"}}}
    sentence = "A WebAssembly module cannot take or give files; publish a container image."

    said = api(agent.creator).post(
        f"/api/v1/agents/{agent.slug}/versions", values(module=module.sha256, output_schema=schema), format="json"
    )
    assert (said.status_code, said.json()["errors"]) == (422, [{"pointer": "/output_schema", "message": sentence}])

    client.force_login(agent.creator, backend="wallets.signin.backends.WalletBackend")
    form = values(kind="wasm", module=SimpleUploadedFile("a.wasm", COMMAND))
    form |= {"input_schema": json.dumps(schema), "output_schema": json.dumps(OUTPUT_SCHEMA)}
    page = client.post(reverse("marketplace:version-new", args=[agent.slug]), form)
    assert sentence in page.content.decode()
    assert not agent.versions.exists()
