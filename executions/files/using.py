"""Files as the input of a run: named in the document by their ids, given to the agent by paths."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any
from uuid import UUID

from django.conf import settings

from executions.errors import FileError, InputInvalidError
from executions.files import storing
from executions.files.media import suffix
from executions.files.models import File, FileUse
from executions.models import Execution
from executions.runners.base import InputFile
from marketplace import contents
from marketplace.catalogue.file_members import FileMember, file_members
from marketplace.catalogue.pointers import pointer
from wallets.models import User

# Where an agent finds its files.
FOLDER = "/work/in"
UNKNOWN = "There is no such file of yours. Upload it again: what no run has used is deleted after a day."
REFUSED = "The input cannot be used."


@dataclass(frozen=True, slots=True)
class Place:
    """A value of a document that names a file. `path` is where it stands."""

    path: tuple[str | int, ...]
    member: FileMember
    value: str


def places(document: Any, schema: Mapping[str, Any]) -> Iterator[Place]:
    """Where `document`, which may not fit `schema`, names files."""
    if not isinstance(document, dict):
        return
    for name, member in file_members(schema).items():
        value = document.get(name)
        if not member.many and isinstance(value, str):
            yield Place((name,), member, value)
        elif member.many and isinstance(value, list):
            yield from (Place((name, n), member, item) for n, item in enumerate(value) if isinstance(item, str))


def replaced(document: Any, values: Mapping[tuple[str | int, ...], Any]) -> Any:
    """`document` with other values at these places, as `places` found them."""
    changed = dict(document) if isinstance(document, dict) else document
    for path, value in values.items():
        if len(path) == 1:
            changed[path[0]] = value
        else:
            name, index = path
            if changed[name] is document[name]:
                changed[name] = list(changed[name])
            changed[name][index] = value
    return changed


def check(user: User, document: Any, schema: Mapping[str, Any]) -> list[File]:
    """The files that `document` names; all are of `user`, there, and what the schema asks for.

    Raises InputInvalidError with a sentence for each member that is not.
    """
    named = list(places(document, schema))
    known = {str(file.pk): file for file in there(user, [one.value for one in named])}
    problems: dict[str, str] = {}
    for one in named:
        file = known.get(one.value.lower())
        if file is None:
            problems[pointer(one.path)] = UNKNOWN
            continue
        try:
            storing.check(file.name, file.size, file.media_type, one.member)
        except FileError as error:
            problems[pointer(one.path)] = error.message
    if problems:
        raise InputInvalidError("The input does not fit what this agent asks for.", fields=problems)
    total = sum(file.size for file in known.values())
    if total > settings.EXECUTION_FILES_BYTES:
        raise InputInvalidError(
            f"The files of a run may have {settings.EXECUTION_FILES_BYTES:,} bytes together; these have {total:,}."
        )
    return list(known.values())


def take(execution: Execution, files: list[File]) -> None:
    """Bind files to a run that is being queued, inside its transaction. Raises InputInvalidError when one of them was
    deleted meanwhile."""
    if not files:
        return
    ids = {file.pk for file in files}
    locked = list(File.objects.there().select_for_update().filter(pk__in=ids).order_by("pk"))
    if len(locked) < len(ids):
        raise InputInvalidError(UNKNOWN)
    bind(execution.pk, ids, FileUse.Direction.INPUT)


def bind(execution_id: UUID, ids: "set[UUID] | list[UUID]", direction: FileUse.Direction) -> None:
    """Write down that a run took or gave files."""
    FileUse.objects.bulk_create(FileUse(execution_id=execution_id, file_id=one, direction=direction) for one in ids)


def handed(execution: Execution) -> tuple[Any, tuple[InputFile, ...]]:
    """The document as the agent gets it, each file as `{"path", "name", "size", "media_type"}`, and the files.
    Raises FileError."""
    named = list(places(execution.input, execution.version.input_schema))
    if not named:
        return execution.input, ()
    uses = execution.file_uses.filter(direction=FileUse.Direction.INPUT).select_related("file")
    files = {str(use.file_id): use.file for use in uses}
    inputs: dict[str, InputFile] = {}
    values: dict[tuple[str | int, ...], Any] = {}
    for one in named:
        file = files.get(one.value.lower())
        if file is None:  # its owner's account was closed
            raise FileError("A file of the input was deleted.")
        known = inputs.setdefault(
            str(file.pk), InputFile(f"{len(inputs) + 1}{suffix(file.name)}", file.size, _opener(file))
        )
        values[one.path] = {
            "path": f"{FOLDER}/{known.name}",
            "name": file.name,
            "size": file.size,
            "media_type": file.media_type,
        }
    return replaced(execution.input, values), tuple(inputs.values())


def _opener(file: File) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        try:
            return contents.read(file.stored_as)
        except FileNotFoundError:
            raise FileError("A file of the input is no longer in the platform's storage.") from None

    return opened


def there(user: User, values: list[str]) -> list[File]:
    """The files of `user` with these ids, in the order of the ids. What is no id is passed over."""
    ids = []
    for value in values:
        try:
            ids.append(UUID(value))
        except ValueError:
            continue
    found = File.objects.there().filter(user=user).in_bulk(ids) if ids else {}
    return [found[one] for one in dict.fromkeys(ids) if one in found]
