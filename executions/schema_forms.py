"""A form for an input schema: fields to draw, and what was entered turned back into a JSON document.

Only what a person can reasonably fill in becomes fields. A schema that needs more (choices between forms, nested
objects at the top) becomes one field for the whole document.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from executions import documents
from marketplace.catalogue.file_members import MAX_BYTES, is_file, is_file_list

# The name of the only field when the schema has no form.
WHOLE = "input"
# Keywords at the top by which one field depends on others.
_CONDITIONAL = frozenset(
    {"anyOf", "oneOf", "allOf", "not", "if", "then", "else", "$ref", "$dynamicRef", "dependentRequired"}
    | {"dependentSchemas", "patternProperties", "propertyNames", "minProperties", "unevaluatedProperties"}
)
_TRUE = frozenset({"on", "true", "1", "yes"})
_MEDIA_EXTENSIONS = {
    "text/csv": ".csv",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/html": ".html",
    "application/json": ".json",
    "text/x-solidity": ".sol",
    "text/x-python": ".py",
}


class Widget(StrEnum):
    """How a field is drawn."""

    TEXT = "text"
    MULTILINE = "multiline"
    FILE = "file"  # uploaded at once; the control holds its id
    FILES = "files"  # likewise, one id a line
    FILE_TEXT = "file-text"  # a large text area that offers to load a file into it
    NUMBER = "number"
    INTEGER = "integer"
    CHECKBOX = "checkbox"
    SELECT = "select"
    LIST = "list"  # one value a line
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Option:
    """A choice. `value` is what the form sends: the JSON text of the real value."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One member of the input. `value` is what to show in the control: text, or whether it is checked."""

    name: str
    label: str
    widget: Widget
    help: str = ""
    required: bool = False
    value: str | bool = ""
    placeholder: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    pattern: str = ""
    accept: str = ""  # file name ending and media type, for the file chooser
    options: tuple[Option, ...] = ()
    item_type: str = ""  # of a list's items
    max_bytes: int | None = None  # of a file, if its creator set a limit

    @property
    def is_file(self) -> bool:
        """Whether it takes files."""
        return self.widget in {Widget.FILE, Widget.FILES}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was entered. `errors`: field name -> sentence; `input` is meaningless when there are any."""

    input: Any
    errors: dict[str, str] = field(default_factory=dict)


class Submitted(Protocol):
    """The part of a QueryDict that is used."""

    def get(self, key: str, default: Any = None) -> Any: ...


def fields(schema: Mapping[str, Any], initial: Any = None) -> list[Field]:
    """The form's fields: required ones first in the schema's order, filled from `initial` (an example or an earlier
    input), else from defaults."""
    if not has_form(schema):
        text = "" if initial is None else json.dumps(initial, indent=2, ensure_ascii=False)
        hint = str(schema.get("description", "")) or "A JSON document."
        return [Field(WHOLE, str(schema.get("title", "Input")), Widget.JSON, hint, required=True, value=text)]
    values = initial if isinstance(initial, dict) else {}
    required = _required(schema)
    return [_field(name, schema["properties"][name], name in required, values.get(name)) for name in _order(schema)]


def has_form(schema: Mapping[str, Any]) -> bool:
    """Whether the schema can be filled in field by field."""
    properties = schema.get("properties")
    return (
        schema.get("type") == "object"
        and isinstance(properties, dict)
        and bool(properties)
        and not _CONDITIONAL & schema.keys()
        and all(isinstance(part, dict) for part in properties.values())
        and set(_required(schema)) <= properties.keys()
    )


def parse(schema: Mapping[str, Any], data: Submitted) -> Parsed:
    """The JSON document that was entered. Only its shape is checked here; the schema is checked when it is run."""
    if not has_form(schema):
        try:
            return Parsed(documents.parse(str(data.get(WHOLE, "")).encode()))
        except ValueError:
            return Parsed(None, {WHOLE: "This is not a JSON document."})
    document: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for one in fields(schema):
        try:
            present, value = _value(one, data.get(one.name))
        except ValueError as exc:
            errors[one.name] = str(exc)
            continue
        if present:
            document[one.name] = value
        elif one.required:
            errors[one.name] = "This field is required."
    return Parsed(document, errors)


def errors_by_field(schema: Mapping[str, Any], pointers: Mapping[str, str]) -> dict[str, str]:
    """Errors of a refused input (JSON pointer -> sentence) as errors of the form's fields; "" is the whole form."""
    result: dict[str, str] = {}
    known = {one.name for one in fields(schema)}
    for pointer, sentence in pointers.items():
        head, _, rest = pointer.removeprefix("/").partition("/")
        name = head.replace("~1", "/").replace("~0", "~")
        if name not in known:
            name = WHOLE if WHOLE in known and not has_form(schema) else ""
            rest = pointer.removeprefix("/")
        result.setdefault(name, f"{rest}: {sentence}" if rest else sentence)
    return result


def _order(schema: Mapping[str, Any]) -> list[str]:
    properties, required = list(schema["properties"]), _required(schema)
    return [*(name for name in required if name in properties), *(name for name in properties if name not in required)]


def _required(schema: Mapping[str, Any]) -> list[str]:
    required = schema.get("required", [])
    return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []


def _field(name: str, schema: Mapping[str, Any], required: bool, initial: Any) -> Field:
    widget = _widget(schema)
    value = schema.get("default") if initial is None else initial
    examples = schema.get("examples")
    example = examples[0] if isinstance(examples, list) and examples else None
    items = schema.get("items")
    return Field(
        name=name,
        label=str(schema.get("title") or name.replace("_", " ").capitalize()),
        widget=widget,
        help=str(schema.get("description", "")),
        required=required and widget is not Widget.CHECKBOX,
        value=_shown(widget, value),
        placeholder=_shown_text(widget, example),
        minimum=_number(schema, "minimum"),
        maximum=_number(schema, "maximum"),
        step=_number(schema, "multipleOf"),
        min_length=_whole(schema, "minLength"),
        max_length=_whole(schema, "maxLength"),
        min_items=_whole(schema, "minItems"),
        max_items=_whole(schema, "maxItems"),
        pattern=str(schema.get("pattern", "")),
        accept=_accept(schema),
        options=_options(schema),
        item_type=str(items.get("type", "")) if isinstance(items, dict) else "",
        max_bytes=_whole(items if isinstance(items, dict) else schema, MAX_BYTES),
    )


def _widget(schema: Mapping[str, Any]) -> Widget:
    if isinstance(schema.get("enum"), list):
        return Widget.SELECT
    if is_file(schema) or is_file_list(schema):
        return Widget.FILE if is_file(schema) else Widget.FILES
    match schema.get("type"):
        case "string" if schema.get("contentMediaType"):
            return Widget.FILE_TEXT
        case "string" if schema.get("format") == "multiline" or (_whole(schema, "maxLength") or 0) > 500:
            return Widget.MULTILINE
        case "string":
            return Widget.TEXT
        case "integer":
            return Widget.INTEGER
        case "number":
            return Widget.NUMBER
        case "boolean":
            return Widget.CHECKBOX
        case "array" if _simple_items(schema.get("items")):
            return Widget.LIST
    return Widget.JSON


def _simple_items(items: Any) -> bool:
    return isinstance(items, dict) and items.get("type") in {"string", "number", "integer"}


def _options(schema: Mapping[str, Any]) -> tuple[Option, ...]:
    choices = schema.get("enum")
    if not isinstance(choices, list):
        return ()
    return tuple(
        Option(json.dumps(choice), choice if isinstance(choice, str) else json.dumps(choice)) for choice in choices
    )


def _accept(schema: Mapping[str, Any]) -> str:
    one = schema["items"] if is_file_list(schema) else schema
    media = one.get("contentMediaType")
    if not isinstance(media, str):
        return ""
    return ",".join(part for part in (_MEDIA_EXTENSIONS.get(media, ""), media) if part)


def _shown(widget: Widget, value: Any) -> str | bool:
    return value is True if widget is Widget.CHECKBOX else _shown_text(widget, value)


def _shown_text(widget: Widget, value: Any) -> str:
    if value is None:
        return ""
    if widget in {Widget.LIST, Widget.FILES}:
        return "\n".join(str(item) for item in value) if isinstance(value, list) else ""
    if widget is Widget.SELECT:
        return json.dumps(value)
    if widget is Widget.JSON:
        return json.dumps(value, indent=2, ensure_ascii=False)
    return str(value)


def _value(one: Field, raw: Any) -> tuple[bool, Any]:
    """Whether something was entered, and what. Raises ValueError with a sentence."""
    if one.widget is Widget.CHECKBOX:
        return True, raw is not None and str(raw).lower() in _TRUE
    text = "" if raw is None else str(raw).replace("\r\n", "\n")
    if not text.strip() and not (one.required and one.min_length == 0):
        return False, None
    match one.widget:
        case Widget.INTEGER:
            return True, _integer(text)
        case Widget.NUMBER:
            return True, _decimal(text)
        case Widget.SELECT:
            return True, _choice(one, text)
        case Widget.LIST:
            read = {"integer": _integer, "number": _decimal}.get(one.item_type, str)
            return True, [read(line.strip()) for line in text.split("\n") if line.strip()]
        case Widget.JSON:
            return True, _json(text)
        case Widget.FILE:
            return True, text.strip()
        case Widget.FILES:
            return True, text.split()
    return True, text


def _integer(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError as exc:
        raise ValueError("Enter a whole number.") from exc


def _decimal(text: str) -> int | float:
    try:
        value = documents.parse(text.strip().encode())
    except ValueError:
        value = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("Enter a number.")


def _choice(one: Field, text: str) -> Any:
    for option in one.options:
        if text in {option.value, option.label}:
            return json.loads(option.value)
    raise ValueError("Choose one of the offered values.")


def _json(text: str) -> Any:
    try:
        return documents.parse(text.encode())
    except ValueError as exc:
        raise ValueError("This is not a JSON document.") from exc


def _number(schema: Mapping[str, Any], keyword: str) -> float | None:
    value = schema.get(keyword)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(schema: Mapping[str, Any], keyword: str) -> int | None:
    value = schema.get(keyword)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
