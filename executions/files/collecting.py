"""Files as the result of a run: named in the document by their paths, kept under ids."""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.conf import settings

from executions import documents
from executions.errors import FileError
from executions.files import media, storing
from executions.files.cleaning import delete
from executions.files.using import Place, places, replaced
from executions.models import Execution, File
from executions.runners.base import Ending, RunOutcome
from executions.runners.output_folder import OutputFolder, UnsafeFileError
from executions.runners.redaction import Redactor
from marketplace.catalogue.file_members import file_members
from marketplace.errors import StorageAwayError

MOST_FILES = 50


class _RefusedError(Exception):
    """The message is a sentence for the person who ran the agent."""


def collect(execution: Execution, outcome: RunOutcome, redact: Redactor) -> tuple[RunOutcome, list[UUID]]:
    """The outcome with ids where its result names files, and those files, kept for the person who ran the agent.

    A result that names what cannot be taken is a bad one. What the result does not name is not looked at. Raises
    StorageAwayError, and nothing is kept then.
    """
    folder = outcome.folder
    if folder is None or outcome.output is None:
        return outcome, []
    taken: dict[str, File] = {}
    try:
        document = documents.parse(outcome.output)
        named = list(places(document, execution.version.output_schema))
        _take(execution, named, folder, redact, taken)
    except StorageAwayError:
        delete([file.pk for file in taken.values()])
        raise
    except _RefusedError as exc:
        return RunOutcome(Ending.BAD_FILES, str(exc), outcome.exit_code), [file.pk for file in taken.values()]
    ids: dict[tuple[str | int, ...], Any] = {one.path: str(taken[one.value].pk) for one in named}
    return replace(outcome, output=documents.dump(replaced(document, ids))), [file.pk for file in taken.values()]


def _take(
    execution: Execution, named: list[Place], folder: OutputFolder, redact: Redactor, taken: dict[str, File]
) -> None:
    left = settings.EXECUTION_FILES_BYTES
    if len({one.value for one in named}) > MOST_FILES:
        raise _RefusedError(f"The result names more than {MOST_FILES} files.")
    for one in named:
        try:
            if one.value in taken:
                file = taken[one.value]
                storing.check(file.name, file.size, file.media_type, one.member)
                continue
            with folder.open(one.value, min(left, settings.FILE_BYTES)) as content:
                name = media.clean_name(PurePosixPath(one.value).name)
                if redact.found_in(content):
                    raise _RefusedError(f"The file {_shown(one)} holds a secret of the agent, so it was not kept.")
                file = storing.keep_result(execution.user, content, name, one.member)
        except UnsafeFileError as exc:
            raise _RefusedError(f"The result names the file {_shown(one)}, which is not taken: {exc}.") from None
        except FileError as exc:
            raise _RefusedError(f"The result names a file that is not taken: {exc.message}") from None
        taken[one.value] = file
        left -= file.size


def _shown(one: Place) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in one.value[:80])


def gives_files(execution: Execution) -> bool:
    """Whether the agent is to have a folder for files."""
    return bool(file_members(execution.version.output_schema))
