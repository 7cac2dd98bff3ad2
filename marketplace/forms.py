"""Forms of the creators' pages. They read what was typed; the operations decide whether it is allowed."""

import json
from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat

from chain.errors import DomainError, InvalidAmountError
from chain.networks import Network
from chain.tokens import Token, format_units, parse_amount, tokens_for
from marketplace.catalogue import demands, offers, runtimes
from marketplace.catalogue.fields import TEXT_RULES
from marketplace.catalogue.modules.storing import store_module
from marketplace.catalogue.numbers import next_patch
from marketplace.models import Agent, AgentVersion, Category
from wallets.models import User

DAY = 86_400
DURATIONS = (
    (DAY, "1 day"),
    (7 * DAY, "7 days"),
    (30 * DAY, "30 days"),
    (90 * DAY, "90 days"),
    (365 * DAY, "1 year"),
    (0, "For ever"),
)
STARTING_SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "title": "Text", "description": "What to work on.", "format": "multiline"},
    },
    "required": ["text"],
    "additionalProperties": False,
}
STARTING_OUTPUT = {
    "type": "object",
    "properties": {"summary": {"type": "string", "title": "Summary"}},
    "required": ["summary"],
}


class AgentForm(forms.Form):
    """What a creator says about an agent, and its price in each token of the network."""

    name = forms.CharField(max_length=TEXT_RULES["name"].maximum, help_text="What people will call it.")
    tagline = forms.CharField(
        max_length=TEXT_RULES["tagline"].maximum,
        label="One sentence",
        help_text="Shown on the card in the catalogue: what it does, for whom.",
    )
    category = forms.ModelChoiceField(Category.objects.none(), to_field_name="slug", empty_label="Choose one")
    description = forms.CharField(
        max_length=TEXT_RULES["description"].maximum,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="Markdown. Say what goes in, what comes out, and where its limits are.",
    )
    access_duration = forms.TypedChoiceField(
        coerce=int, choices=DURATIONS, initial=30 * DAY, label="Access lasts", help_text="From the moment of purchase."
    )

    def __init__(self, *args: Any, network: Network, agent: Agent | None = None, **kwargs: Any) -> None:
        if agent is not None:
            kwargs["initial"] = _agent_values(agent, network) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        category = self.fields["category"]
        assert isinstance(category, forms.ModelChoiceField)  # noqa: S101  declared above
        category.queryset = Category.objects.all()
        if agent is not None:
            self._keep_duration(agent.access_duration)
        self.network = network
        self.tokens = tokens_for(network)
        for token in self.tokens:
            self.fields[f"price_{token.symbol}"] = PriceField(token)

    def _keep_duration(self, seconds: int) -> None:
        """An agent made through the API may have a duration that is none of our choices."""
        field = self.fields["access_duration"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101  declared above
        if seconds not in dict(DURATIONS):
            field.choices = [(seconds, f"{seconds:,} seconds"), *DURATIONS]

    def price_fields(self) -> Iterator[forms.BoundField]:
        """The bound price fields, in the order of the network's tokens."""
        return (self[f"price_{token.symbol}"] for token in self.tokens)

    def values(self) -> dict[str, Any]:
        """The arguments of create_agent and update_agent."""
        data = self.cleaned_data
        prices = {token.symbol: data[f"price_{token.symbol}"] for token in self.tokens}
        return {
            "name": data["name"],
            "tagline": data["tagline"],
            "description": data["description"],
            "category": data["category"].slug,
            "access_duration": data["access_duration"],
            "prices": {symbol: amount for symbol, amount in prices.items() if amount is not None},
        }

    def add_domain_error(self, error: DomainError) -> None:
        """Puts an operation's sentences at the fields they are about."""
        add_domain_error(self, error, {f"/prices/{token.symbol}": f"price_{token.symbol}" for token in self.tokens})


class PriceField(forms.CharField):
    """A price typed as `0.01`; the cleaned value is base units (an int), or None when left empty."""

    def __init__(self, token: Token) -> None:
        super().__init__(
            required=False,
            label=f"Price in {token.symbol}",
            help_text=f"At most {token.decimals} decimals. Leave empty to not accept {token.symbol}.",
            widget=forms.TextInput(
                attrs={"inputmode": "decimal", "autocomplete": "off", "placeholder": "0.00", "class": "num"}
            ),
        )
        self.token = token

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        if not text:
            return None
        try:
            return parse_amount(text, self.token)
        except InvalidAmountError as exc:
            raise forms.ValidationError(exc.message, code=exc.code) from exc


class JsonField(forms.CharField):
    """A JSON document in a text area; the cleaned value is the parsed document, or None when left empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "input-code"}), **kwargs
        )

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        if not text:
            return None
        try:
            return json.loads(text, parse_constant=_no_such_number)
        except json.JSONDecodeError as exc:
            raise forms.ValidationError(
                f"This is not JSON: line {exc.lineno}, column {exc.colno}: {exc.msg}.", code="invalid"
            ) from exc
        except ValueError as exc:
            raise forms.ValidationError(str(exc), code="invalid") from exc
        except RecursionError as exc:
            raise forms.ValidationError("This is nested too deeply.", code="invalid") from exc


def _number(step: str) -> forms.NumberInput:
    return forms.NumberInput(attrs={"class": "num", "step": step, "min": "0", "inputmode": "decimal"})


class HostsField(forms.CharField):
    """Hosts, one a line; the cleaned value is a list."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label="Hosts it may reach",
            help_text="One a line, as in api.example.com:443. None: it has no network. Buyers see this list.",
            widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "num"}),
        )

    def clean(self, value: Any) -> Any:
        return str(super().clean(value)).replace(",", " ").split()


class VersionForm(forms.Form):
    """A container image or a WebAssembly module, what goes in and comes out, and what a run needs."""

    number = forms.CharField(
        max_length=20,
        label="Version",
        help_text="Three numbers, for example 1.2.0.",
        widget=forms.TextInput(attrs={"class": "num"}),
    )
    kind = forms.ChoiceField(
        choices=AgentVersion.Kind.choices, initial=AgentVersion.Kind.CONTAINER, required=False, label="It is a"
    )
    image = forms.CharField(
        max_length=300,
        required=False,
        label="Container image",
        help_text="With its digest, so that what you tested is what runs: registry.example/you/agent@sha256:…",
        widget=forms.TextInput(attrs={"class": "input-code", "autocomplete": "off", "spellcheck": "false"}),
    )
    module = forms.FileField(
        required=False,
        label="WebAssembly module",
        widget=forms.FileInput(attrs={"accept": ".wasm,application/wasm"}),
    )
    input_schema = JsonField(
        label="Input schema", help_text="JSON Schema 2020-12 with an object at the top. The run form is made from it."
    )
    output_schema = JsonField(
        label="Output schema", help_text="What the agent prints at the end is checked against it."
    )
    example_input = JsonField(
        required=False,
        label="Example input",
        help_text="Offered as “Use the example” in the run form; must fit the schema.",
    )
    release_notes = forms.CharField(
        required=False,
        max_length=5_000,
        label="What is new",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    memory = forms.IntegerField(required=False, label="Memory (MiB)", widget=_number("1"))
    cpus = forms.DecimalField(required=False, label="Processor (cores)", widget=_number("0.1"))
    timeout_seconds = forms.IntegerField(required=False, label="Time (seconds)", widget=_number("1"))
    gpus = forms.IntegerField(required=False, label="GPUs", widget=_number("1"))
    runtime = forms.ChoiceField(required=False, label="Runs in")
    hosts = HostsField()

    def __init__(self, *args: Any, previous: AgentVersion | None = None, **kwargs: Any) -> None:
        kwargs["initial"] = _version_values(previous) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        usual = demands.share_of(None)
        for name, text in (
            ("memory", f"Empty: {usual.memory_bytes // demands.MIB}. Most: {demands.maximum_memory() // demands.MIB}."),
            ("cpus", f"Empty: {usual.cpus}. Most: {demands.maximum_nano_cpus() / 1e9:g}."),
            ("timeout_seconds", f"Empty: {usual.timeout_seconds}. Most: {demands.maximum_seconds()}."),
            ("gpus", f"Most: {settings.EXECUTION_MAX_GPUS}."),
        ):
            self.fields[name].help_text = text
        self._previous_module = previous.module if previous else ""
        most = f"A WASI command (wasm32-wasip1) of at most {filesizeformat(settings.MODULE_BYTES)}."
        kept = " Without a file, the previous version's module stays." if self._previous_module else ""
        self.fields["module"].help_text = most + kept
        self._offer()

    def _offer(self) -> None:
        """Only what this platform has."""
        if not settings.EXECUTION_MAX_GPUS:
            del self.fields["gpus"]
        if not settings.EXECUTION_MAX_HOSTS:
            del self.fields["hosts"]
        if not settings.EXECUTION_RUNTIMES:
            del self.fields["runtime"]
            return
        runtime = self.fields["runtime"]
        assert isinstance(runtime, forms.ChoiceField)  # noqa: S101  declared above
        runtime.choices = runtimes.choices()
        machines = offers.current() or ()
        runtime.help_text = runtimes.advice(label for machine in machines for label in machine.labels)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if self.is_wasm:
            upload = values.get("module")
            if upload is None and not self._previous_module and "module" not in self.errors:
                self.add_error("module", "Choose the module's file.")
            elif upload is not None and upload.size > settings.MODULE_BYTES:
                self.add_error("module", f"A module may have at most {filesizeformat(settings.MODULE_BYTES)}.")
        elif not values.get("image") and "image" not in self.errors:
            self.add_error("image", "This field is required.")
        return values

    @property
    def is_wasm(self) -> bool:
        """Whether a module was chosen, not an image."""
        return str(self["kind"].value()) == AgentVersion.Kind.WASM

    def values(self, by: User) -> dict[str, Any]:
        """The arguments of add_version; a module that was sent is kept first. Raises InvalidVersionError."""
        names = ("number", "input_schema", "output_schema", "example_input", "release_notes")
        data = self.cleaned_data
        asked = {name: data[name] for name in ("timeout_seconds", "cpus", "gpus", "runtime", "hosts") if data.get(name)}
        if data["memory"] is not None:
            asked["memory_bytes"] = data["memory"] * demands.MIB
        return {name: data[name] for name in names} | asked | self._what_runs(by)

    def _what_runs(self, by: User) -> dict[str, str]:
        if not self.is_wasm:
            return {"image": self.cleaned_data["image"]}
        upload = self.cleaned_data["module"]
        return {"module": store_module(by, upload.read()).sha256 if upload else self._previous_module}

    def add_domain_error(self, error: DomainError) -> None:
        """Puts an operation's sentences at the fields they are about, with the place inside the document."""
        add_domain_error(self, error, {"memory_bytes": "memory"})


def add_domain_error(form: forms.Form, error: DomainError, places: dict[str, str]) -> None:
    """Adds `error` to `form`: each of its fields where the form has it (a JSON pointer's first part names the field),
    else the sentence itself at the top."""
    unplaced = not error.fields
    for place, sentence in error.fields.items():
        name, _, inside = place.lstrip("/").partition("/")
        name = places.get(place, name)
        if name in form.fields:
            form.add_error(name, f"At /{inside}: {sentence}" if inside and place not in places else sentence)
        else:
            unplaced = True
    if unplaced:
        form.add_error(None, error.message)


def _no_such_number(name: str) -> None:
    raise ValueError(f"This is not JSON: it has no {name}.")


def _agent_values(agent: Agent, network: Network) -> dict[str, Any]:
    prices = {price.token: price.amount for price in agent.prices.all()}
    return {
        "name": agent.name,
        "tagline": agent.tagline,
        "description": agent.description,
        "category": agent.category_id,
        "access_duration": agent.access_duration,
        **{
            f"price_{token.symbol}": format_units(prices[token.address], token.decimals)
            for token in tokens_for(network)
            if token.address in prices
        },
    }


def _version_values(previous: AgentVersion | None) -> dict[str, Any]:
    if previous is None:
        return {
            "number": "1.0.0",
            "input_schema": _pretty(STARTING_SCHEMA),
            "output_schema": _pretty(STARTING_OUTPUT),
            "example_input": "",
        }
    return {
        "number": next_patch(previous.number),
        "kind": previous.kind,
        "image": previous.image,
        "input_schema": _pretty(previous.input_schema),
        "output_schema": _pretty(previous.output_schema),
        "example_input": "" if previous.example_input is None else _pretty(previous.example_input),
        "memory": previous.memory_bytes and previous.memory_bytes // demands.MIB,
        "cpus": previous.nano_cpus and f"{previous.nano_cpus / 1_000_000_000:g}",
        "timeout_seconds": previous.timeout_seconds,
        "gpus": previous.gpus or None,
        "runtime": previous.runtime,
        "hosts": "\n".join(previous.hosts),
    }


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
