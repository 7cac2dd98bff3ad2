"""Files through a whole run: stored, handed over, given back, kept; on the real engine."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import storages

from executions import dispatch
from executions.files import storing
from executions.models import Execution, File
from executions.runners.docker import handover
from marketplace.models import AgentVersion
from tests.executions.conftest import RunNow
from tests.executions.images import python
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
                "more": {"type": "array", "items": ANY},
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
