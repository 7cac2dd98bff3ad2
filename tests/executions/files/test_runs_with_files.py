"""Files through a whole run: stored, handed over, given back, kept; on the real engine."""

import contextlib
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.test import Client
from uuid_utils.compat import uuid7

from executions import dispatch, documents
from executions.files import storing
from executions.models import Execution, File
from executions.runners.base import Control, Ending, InputFile, RunSpec, Seen, Stop
from executions.runners.docker import DockerRunner, handover
from marketplace.models import AgentVersion
from marketplace.vault import operations
from tests.executions.conftest import RunNow, eventually
from tests.executions.images import python
from tests.executions.runners.recording import LIMITS, Recorder
from tests.factories.executions import version_of

pytestmark = [pytest.mark.docker, pytest.mark.django_db(transaction=True)]
CSV = {"type": "string", "format": "file", "contentMediaType": "text/csv"}
ANY = {"type": "string", "format": "file"}
PROGRAM = """
import json, os
document = json.load(open("/tmp/input"))
given = document["csv"]
text = open(given["path"]).read()
def attempt(action):
    try: action(); return "ok"
    except OSError as e: return type(e).__name__
os.makedirs("/work/out/deep")
open("/work/out/deep/report.md", "w").write("# " + text)
open("/work/out/b.bin", "wb").write(bytes(range(256)))
print(json.dumps({"report": "deep/report.md", "more": ["b.bin", "deep/report.md"], "seen": [
  given["name"], given["size"], given["media_type"], oct(os.stat(given["path"]).st_mode & 0o777),
  attempt(lambda: open(given["path"], "a")), attempt(lambda: open("/work/in/x", "w")),
  attempt(lambda: os.link(given["path"], "/work/out/x"))]}))
"""


@pytest.fixture
def version(scripted: str) -> AgentVersion:
    """Takes a CSV file and a script, gives a report and more."""
    return version_of(
        scripted,
        input_schema={"type": "object", "properties": {"script": {"type": "string"}, "csv": CSV}},
        output_schema={
            "type": "object",
            "properties": {
                "report": {**ANY, "contentMediaType": "text/markdown"},
                "more": {"type": "array", "items": {**ANY}},
            },
        },
    )


def asked(version: AgentVersion, text: str, **more: Any) -> Execution:
    user = version.agent.creator
    return dispatch.request(user, version.agent, python(text, **more))


def test_in_and_out(version: AgentVersion, run_now: RunNow) -> None:
    # given a file with a name from another world
    user = version.agent.creator
    csv = storing.upload(user, BytesIO(b"a,b\n1,2\n"), "../Orders 2025\u202e.csv")
    # when
    execution = run_now(asked(version, PROGRAM, csv=str(csv.pk)))
    # then the agent saw it, and could change nothing
    assert execution.status == Execution.Status.SUCCEEDED, execution.error
    assert execution.output["seen"] == [
        *("Orders 2025.csv", 8, "text/csv", "0o400"),
        *("PermissionError", "OSError", "OSError"),
    ]
    # and what it gave is kept, each file once, under ids
    files = {str(file.pk): file for file in File.objects.filter(source=File.Source.RESULT)}
    report, raw = files[execution.output["report"]], files[execution.output["more"][0]]
    assert execution.output["more"][1] == str(report.pk)
    assert (report.name, report.media_type, report.user) == ("report.md", "text/markdown", user)
    assert (raw.name, raw.size, raw.media_type) == ("b.bin", 256, "application/octet-stream")
    with storages["private"].open(report.stored_as) as content:
        assert content.read() == b"# a,b\n1,2\n"
    assert sorted(execution.file_uses.values_list("direction", flat=True)) == ["input", "output", "output"]
    assert handover.left_behind() == []


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("", "names the file report.md, which is not taken: there is no such file in the output folder."),
        ("open('/work/out/report.md', 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n' + bytes(40))", "image/png by its content"),
        ("open('/work/out/report.md', 'wb').write(b'x' * 1001)", "report.md has 1,001 bytes; at most 1,000"),
        (
            "open('/work/out/report.md', 'w').write('x')",
            "report.md is text/markdown by its content; image/* is asked for.",
        ),
        ("open('/work/out/report.md', 'w').write('sk-live-0123456789-never-shown')", "holds a secret of the agent"),
    ],
)
def test_a_result_that_names_what_cannot_be_taken(
    version: AgentVersion, run_now: RunNow, program: str, sentence: str
) -> None:
    # the same file in two places must be what both ask for
    version.output_schema["properties"]["report"]["x-max-bytes"] = 1000
    version.output_schema["properties"]["more"]["items"]["contentMediaType"] = "image/*"
    version.save()
    operations.set_secret(version.agent, version.agent.creator, "KEY", "sk-live-0123456789-never-shown")
    execution = run_now(asked(version, f'{program}\nprint(\'{{"report": "report.md", "more": ["report.md"]}}\')'))
    assert (execution.status, execution.reason) == ("failed", "bad_output"), execution.error
    assert sentence in execution.error
    assert not File.objects.there().exists()
    assert handover.left_behind() == []


def test_the_page_shows_what_went_in_and_came_out(version: AgentVersion, run_now: RunNow) -> None:
    user = version.agent.creator
    csv = storing.upload(user, BytesIO(b"a,<b>\n1,2\n"), "orders.csv")
    execution = run_now(asked(version, PROGRAM, csv=str(csv.pk)))
    assert execution.status == Execution.Status.SUCCEEDED, execution.error
    browser = Client()
    browser.force_login(user, backend="wallets.signin.backends.WalletBackend")
    page = browser.get(f"/executions/{execution.pk}/").content.decode()
    for name in ("orders.csv", "report.md", "b.bin"):
        assert f'aria-label="Download {name}"' in page
    assert re.search(r"<h\d>a,&lt;b&gt;", page)  # Markdown, without anything of its own
    assert "application/octet-stream" in page
    # the form for another run has the file again
    again = browser.get(f"/agents/{version.agent.slug}/run/?from={execution.pk}").content.decode()
    assert f'data-file="{csv.pk}" data-name="orders.csv"' in again
    went = browser.get(f"/files/{csv.pk}/")
    assert went.status_code == 302
    assert went.headers["Location"].startswith("/files/signed/")


def files_spec(image: str, text: str) -> RunSpec:
    """A run with a file, of an agent that may give some."""
    given = InputFile("1.txt", 5, lambda: BytesIO(b"given"))
    return RunSpec(uuid7(), 1, image, documents.dump(python(text)), LIMITS, files=(given,), gives_files=True)


def test_another_worker_takes_over(runner: DockerRunner, scripted: str) -> None:
    # given a run whose worker has lost it, while the agent goes on
    text = """
import time
print("begun", flush=True)
time.sleep(0.7)
open("/work/out/a", "w").write(open("/work/in/1.txt").read() + " taken over")
print("[1]")
"""
    spec, control = files_spec(scripted, text), Control()
    sink = Recorder(when_line=lambda line: control.stop(Stop.LOST))
    assert runner.run(spec, sink, control).ending == Ending.LOST
    control.close()
    # then the reaper sees a container, and no folder that goes before it
    (found,) = runner.containers()
    assert found.handle == sink.handles[0]
    # when another worker goes on, it has the files, and nothing is left
    second, control = Recorder(), Control()
    seen = Seen(stdout=("begun",), stderr=(), events=())
    outcome = runner.resume(replace(spec, attempt=2), found.handle, seen, 20, second, control)
    control.close()
    assert outcome.folder is not None, outcome
    with contextlib.closing(outcome.folder) as folder, folder.open("a", 100) as file:
        assert file.read() == b"given taken over"
    eventually(lambda: runner.containers() == [])
    assert handover.left_behind() == []


def test_the_reaper_takes_the_folder_of_a_worker_that_was_killed(runner: DockerRunner) -> None:
    spec = files_spec("x", "")
    handed = handover.Handover(spec, "unix:///x").__enter__()
    assert handed.outputs is not None
    assert f"{spec.execution_id}_1/files tmpfs rw,nosuid,nodev,noexec" in Path("/proc/mounts").read_text()
    (found,) = runner.containers()
    assert (found.execution_id, found.attempt, len(found.handle) <= 64) == (spec.execution_id, 1, True)
    runner.remove(found.handle)
    assert str(spec.execution_id) not in Path("/proc/mounts").read_text()
    assert runner.containers() == []


def test_a_worker_that_cannot_hand_over_files_says_so(
    runner: DockerRunner, scripted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    control = Control()
    outcome = runner.run(files_spec(scripted, ""), Recorder(), control)
    control.close()
    assert outcome.ending == Ending.INFRASTRUCTURE
    assert "need a worker that runs as root on the machine of its Docker engine" in outcome.message
