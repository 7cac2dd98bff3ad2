"""What is run while things die: an agent that only writes, one with files, and one with files and a secret."""

import hashlib
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

LINES = 30
SECRET = "sk-live-0123456789-never-shown"
FILE = {"type": "string", "format": "file"}
_LOG = f"""
for n in range({LINES}):
    print(f"line {{n}}", flush=True)
    time.sleep(0.03)
"""
_PLAIN = f"""
import time
{_LOG}
print('{{"n": {LINES}}}', flush=True)
"""
_WITH_FILES = f"""
import json, os, time
given = json.load(open("/tmp/input"))["file"]
if os.path.isdir("/run/secrets"):
    print("told", open("/run/secrets/KEY").read(), flush=True)
out = open("/work/out/copy.bin", "wb")
source = open(given["path"], "rb")
{_LOG}
out.write(source.read())
out.close()
print(json.dumps({{"n": {LINES}, "copy": "copy.bin"}}), flush=True)
"""


class Agent:
    """One kind of agent, and what it must come to whatever happened meanwhile."""

    def __init__(self, image: str) -> None:
        from tests.factories.executions import version_of

        self.version = version_of(image, **self.schemas)

    schemas: ClassVar[dict[str, Any]] = {}
    program = _PLAIN
    # Whether another worker goes on with it: there is a copy of what it wrote, and nobody restarts what keeps that.
    taken_over = False

    def ask(self) -> Any:
        """Ask for a run; the execution."""
        from executions import dispatch
        from tests.executions.images import python

        return dispatch.request(self.version.agent.creator, self.version.agent, python(self.program, **self.given()))

    def given(self) -> dict[str, str]:
        """Members of the input beside the program."""
        return {}

    def wrong_output(self, execution: Any) -> str:
        """What is not right about the result; empty when all is."""
        return "" if execution.output == {"n": LINES} else f"output {execution.output}"

    def expected_texts(self) -> list[str]:
        """The lines of one whole attempt."""
        return [f"line {n}" for n in range(LINES)]


class WithFiles(Agent):
    """Takes a file of some pages, and gives it back as one of its own."""

    content = bytes(range(256)) * 512
    taken_over = True
    schemas: ClassVar = {
        "input_schema": {"type": "object", "properties": {"script": {"type": "string"}, "file": FILE}},
        "output_schema": {"type": "object", "properties": {"n": {"type": "integer"}, "copy": FILE}},
    }
    program = _WITH_FILES

    def given(self) -> dict[str, str]:
        from executions.files import storing

        return {"file": str(storing.upload(self.version.agent.creator, BytesIO(self.content), "a.bin").pk)}

    def wrong_output(self, execution: Any) -> str:
        from executions.models import FileUse

        uses = list(execution.file_uses.filter(direction=FileUse.Direction.OUTPUT).select_related("file"))
        if len(uses) != 1:
            return f"{len(uses)} files of the result"
        file = uses[0].file
        if execution.output != {"n": LINES, "copy": str(file.pk)}:
            return f"output {execution.output}"
        return "" if file.sha256 == hashlib.sha256(self.content).hexdigest() else "another file than was written"


class WithSecret(WithFiles):
    """The same, and it prints the secret it has."""

    taken_over = False

    def __init__(self, image: str) -> None:
        from marketplace.vault import operations

        super().__init__(image)
        operations.set_secret(self.version.agent, self.version.agent.creator, "KEY", SECRET)

    def expected_texts(self) -> list[str]:
        return ["told [KEY]", *super().expected_texts()]


def handed_over() -> list[str]:
    """What is handed over to runs on this machine: folders in memory, and what is mounted in them."""
    from executions.runners.docker import handover
    from executions.runners.docker.confinement import instance

    here = f"agentnexus-run-{instance()}"
    mounted = [row for row in Path("/proc/self/mounts").read_text().splitlines() if here in row]
    return [*(one.handle for one in handover.left_behind()), *mounted]


def contents_left(storage_root: Path) -> list[str]:
    """Stored contents that no run has, once those of a lost attempt have had their day."""
    from executions.files import cleaning
    from executions.models import File

    cleaning.UNUSED_FOR = timedelta(0)
    cleaning.clean()
    used = set(File.objects.filter(uses__isnull=False).values_list("stored_as", flat=True))
    stored = (str(one.relative_to(storage_root)) for one in storage_root.rglob("*") if one.is_file())
    return [name for name in stored if name not in used]
