"""The run form: fields made from a version's input schema, or the document as JSON text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import QueryDict

from executions import documents, schema_forms
from executions.files import using
from executions.models import File
from executions.schema_forms import Field, Parsed, Widget
from marketplace.models import AgentVersion
from wallets.models import User

# Names of our own controls; a schema's member could have any ordinary name.
MODE, DOCUMENT, KEY = "__mode", "__document", "__key"


@dataclass(frozen=True, slots=True)
class Row:
    """One field as it is drawn."""

    field: Field
    error: str = ""
    files: tuple[File, ...] = ()

    @property
    def most_bytes(self) -> int:
        """How large a file may be."""
        return min(self.field.max_bytes or settings.FILE_BYTES, settings.FILE_BYTES)

    @property
    def id(self) -> str:
        """The control's id in the page."""
        return f"field-{self.field.name}"

    @property
    def control_id(self) -> str:
        """The id of what a label belongs to: for files the chooser, since the control that holds ids is hidden."""
        return f"{self.id}-chooser" if self.field.is_file else self.id

    @property
    def described_by(self) -> str:
        """Ids of the texts that belong to the control."""
        help_id = f"{self.id}-help" if self.field.help or self.field.is_file else ""
        return " ".join(part for part in (f"{self.id}-error" if self.error else "", help_id) if part)


@dataclass(frozen=True, slots=True)
class RunForm:
    """What the page shows. `key` makes pressing the button twice start one run."""

    rows: tuple[Row, ...]
    as_json: bool
    document: str
    key: str
    example: Mapping[str, Any] | None = None
    example_json: str = ""
    error: str = ""
    document_errors: Mapping[str, str] = field(default_factory=dict)
    has_fields: bool = True


def blank(version: AgentVersion, user: User, initial: Any = None) -> RunForm:
    """The form before anything was entered, filled from `initial` (an earlier input) if given."""
    schema = version.input_schema
    return RunForm(
        rows=tuple(_row(one, user) for one in schema_forms.fields(schema, initial)),
        as_json=False,
        document="" if initial is None else _pretty(initial),
        key=str(uuid4()),
        has_fields=schema_forms.has_form(schema),
        **_example(version),
    )


def read(version: AgentVersion, data: QueryDict) -> tuple[Parsed, str]:
    """The document that was entered, in whichever way, and the form's key."""
    key = data.get(KEY, "")
    if data.get(MODE) != "json":
        return schema_forms.parse(version.input_schema, data), key
    try:
        return Parsed(documents.parse(data.get(DOCUMENT, "").encode())), key
    except ValueError as exc:
        return Parsed(None, {"": f"This is not a JSON document: {exc}"}), key


def refused(
    version: AgentVersion, user: User, data: QueryDict, errors: Mapping[str, str], message: str, *, key: str
) -> RunForm:
    """The form as it was sent, with a sentence at each field. `errors` is by field name for fields, by JSON pointer for
    a JSON document."""
    schema = version.input_schema
    as_json = data.get(MODE) == "json"
    rows = tuple(_row(_as_sent(one, data), user, errors.get(one.name, "")) for one in schema_forms.fields(schema))
    return RunForm(
        rows=rows,
        as_json=as_json,
        document=data.get(DOCUMENT, ""),
        key=key,
        error=errors.get("", "") or message,
        document_errors={place: text for place, text in errors.items() if place} if as_json else {},
        has_fields=schema_forms.has_form(schema),
        **_example(version),
    )


def _row(one: Field, user: User, error: str = "") -> Row:
    """With the person's own files that the control names."""
    if not one.is_file:
        return Row(one, error)
    return Row(one, error, tuple(using.there(user, str(one.value).split())))


def _as_sent(one: Field, data: QueryDict) -> Field:
    if one.widget is Widget.CHECKBOX:
        return replace(one, value=one.name in data)
    return replace(one, value=data.get(one.name, ""))


def _example(version: AgentVersion) -> dict[str, Any]:
    example = version.example_input
    if example is None:
        return {}
    shown = {one.name: one.value for one in schema_forms.fields(version.input_schema, example)}
    return {"example": shown, "example_json": _pretty(example)}


def _pretty(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
