"""Operations on versions: add and withdraw. What was added never changes."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from marketplace.catalogue import verdicts
from marketplace.catalogue.demands import clean_demands
from marketplace.catalogue.file_members import file_members
from marketplace.catalogue.images import clean_image, repository_of
from marketplace.catalogue.json_bounds import JsonBounds, check_bounds
from marketplace.catalogue.models import Agent, AgentVersion, WasmModule
from marketplace.catalogue.numbers import format_number, parse_number
from marketplace.catalogue.schemas import check_schema
from marketplace.catalogue.states import VersionAction, next_version_status
from marketplace.catalogue.text import TextRule, clean_text
from marketplace.catalogue.validation import SchemaUnusableError, validate
from marketplace.errors import InvalidVersionError, NotYoursError
from wallets.models import User

EXAMPLE_BOUNDS = JsonBounds(size=256 * 1024, depth=32)
_NOTES = TextRule(minimum=0, maximum=5_000, multiline=True)


@dataclass(frozen=True, slots=True)
class _Version:
    number: tuple[int, int, int]
    columns: dict[str, Any]


def add_version(
    agent: Agent,
    by: User,
    *,
    number: str,
    image: str = "",
    module: str = "",
    input_schema: dict[str, Any],
    output_schema: dict[str, Any],
    example_input: Any = None,
    release_notes: str = "",
    **demands: Any,
) -> AgentVersion:
    """A new live version, which becomes the one that runs once its image is accepted (`verdicts`).

    `number` is MAJOR.MINOR.PATCH and greater than every earlier number of the agent, withdrawn ones included; `image`
    is `[registry/]repository@sha256:<digest>`, or `module` the SHA-256 of a WebAssembly module that `by` has brought
    (`modules.storing.store_module`); the schemas as in `check_schema`; `example_input` must satisfy `input_schema`;
    `demands` as in `clean_demands`.

    Raises NotYoursError, or InvalidVersionError with a sentence for every field or JSON pointer.
    """
    _require_creator(agent, by)
    version = _clean(by, number, image, module, input_schema, output_schema, example_input, release_notes, demands)
    with transaction.atomic():
        # The agent's row orders those who add at the same time, so that the comparison below holds when we insert.
        Agent.objects.select_for_update().get(pk=agent.pk)
        if "image" in version.columns:
            _claim_repository(agent, version.columns["image"])
        present = agent.versions.newest_first().values_list("number", flat=True).first()
        if present is not None and version.number <= parse_number(present):
            raise InvalidVersionError(
                "Some values of the version are not valid.", fields={"number": f"Must be greater than {present}."}
            )
        verdict = verdicts.first_verdict(version.columns.get("kind", AgentVersion.Kind.CONTAINER))
        if verdict == AgentVersion.Verdict.PENDING:
            verdicts.announce()
        return AgentVersion.objects.create(
            agent=agent, number=format_number(version.number), verdict=verdict, **version.columns
        )


def _claim_repository(agent: Agent, image: str) -> None:
    """A repository belongs to the creator who first published from it. A node keeps images of all creators together,
    and a digest is public: else anyone could sell an image that only another creator's credentials could pull."""
    repository = repository_of(image)
    # Two creators who publish from it for the first time at the same moment.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [repository])
    others = AgentVersion.objects.exclude(agent__creator=agent.creator_id).values_list("image", flat=True)
    path = repository.rpartition("/")[2]
    if any(repository_of(other) == repository for other in others.filter(image__contains=f"{path}@").distinct()):
        raise InvalidVersionError(
            "Some values of the version are not valid.",
            fields={
                "image": "Another creator publishes from this repository. Push the image to a repository of your own."
            },
        )


def withdraw_version(version: AgentVersion, by: User) -> AgentVersion:
    """No new run uses this version; the highest remaining one runs instead. For the creator and staff.

    Raises NotYoursError, InvalidTransitionError.
    """
    if not by.acts_as_staff:
        _require_creator(version.agent, by)
    with transaction.atomic():
        locked = AgentVersion.objects.select_for_update().get(pk=version.pk)
        locked.status = next_version_status(locked.status, VersionAction.WITHDRAW)
        locked.withdrawn_at = Now()
        locked.save(update_fields=["status", "withdrawn_at"])
        locked.refresh_from_db(fields=["withdrawn_at"])
    return locked


def _clean(
    by: User,
    number: object,
    image: object,
    module: object,
    input_schema: object,
    output_schema: object,
    example_input: object,
    notes: object,
    demands: dict[str, Any],
) -> _Version:
    problems: dict[str, str] = {}
    columns: dict[str, Any] = {}
    parsed = (0, 0, 0)
    try:
        parsed = parse_number(number)
    except ValueError as exc:
        problems["number"] = str(exc)
    if module:
        columns |= {"kind": AgentVersion.Kind.WASM, "module": module}
        problems |= _module_problems(by, module, image)
    else:
        try:
            columns["image"] = clean_image(image)
        except ValueError as exc:
            problems["image"] = str(exc)
    try:
        columns["release_notes"] = clean_text(notes, _NOTES)
    except ValueError as exc:
        problems["release_notes"] = str(exc)
    for name, schema in (("input_schema", input_schema), ("output_schema", output_schema)):
        problems |= {f"/{name}{place}": sentence for place, sentence in check_schema(schema).items()}
        columns[name] = schema
        if module and isinstance(schema, dict) and file_members(schema):
            problems[f"/{name}"] = "A WebAssembly module cannot take or give files; publish a container image."
    asked, refused = clean_demands(**demands)
    columns |= asked.columns()
    if module:
        for name, value in (("hosts", asked.hosts), ("runtime", asked.runtime), ("gpus", asked.gpus)):
            if value:
                refused[name] = "A WebAssembly module cannot have this; publish a container image."
    columns["example_input"] = example_input
    if example_input is not None:
        problems |= _example_problems(input_schema, example_input, schema_is_valid=not problems)
    problems |= refused
    if problems:
        raise InvalidVersionError("Some values of the version are not valid.", fields=problems)
    return _Version(parsed, columns)


def _module_problems(by: User, module: object, image: object) -> dict[str, str]:
    if image:
        return {"module": "Give an image or a module, not both."}
    known = isinstance(module, str) and WasmModule.objects.filter(creator=by, sha256=module).exists()
    return {} if known else {"module": "You have brought no module with this SHA-256; send the module itself first."}


def _example_problems(input_schema: Any, example: Any, *, schema_is_valid: bool) -> dict[str, str]:
    try:
        check_bounds(example, EXAMPLE_BOUNDS)
    except ValueError as exc:
        return {"/example_input": str(exc)}
    if not schema_is_valid:
        return {}
    try:
        problems = validate(example, input_schema)
    except SchemaUnusableError as exc:
        return {"/example_input": str(exc)}
    return {f"/example_input{place.removesuffix('/')}": sentence for place, sentence in problems.items()}


def _require_creator(agent: Agent, by: User) -> None:
    if agent.creator_id != by.pk:
        raise NotYoursError("Only the agent's creator may do this.")
