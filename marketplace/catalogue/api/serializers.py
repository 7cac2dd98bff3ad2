"""What the API takes and gives about agents and versions."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chain.api.fields import Uint256Field
from chain.api.serializers import TokenSerializer
from marketplace.api.tokens import TokenBook, amount_fields
from marketplace.catalogue.markdown import render_markdown
from marketplace.models import Agent, AgentVersion, Category, WasmModule


class CategorySerializer(serializers.ModelSerializer[Category]):
    class Meta:
        model = Category
        fields = ["slug", "name", "description"]
        read_only_fields = fields


class CreatorSerializer(serializers.Serializer[Any]):
    """Who made an agent, and the wallet its sales are paid to."""

    id = serializers.UUIDField()
    name = serializers.CharField(source="shown_name")
    address = serializers.CharField(source="primary_address", allow_null=True)


class PriceSerializer(serializers.Serializer[Any]):
    """What access costs in one token: exact base units, and what people read."""

    token = TokenSerializer()
    amount = Uint256Field()
    amount_display = serializers.CharField()


class AgentSummarySerializer(serializers.ModelSerializer[Agent]):
    """An agent in a list."""

    category = serializers.SlugRelatedField[Category](slug_field="slug", read_only=True)
    creator = CreatorSerializer(read_only=True)
    prices = serializers.SerializerMethodField()
    live_version = serializers.SerializerMethodField(help_text="Number of the version that runs, or null.")

    class Meta:
        model = Agent
        fields = [
            "id",
            "slug",
            "onchain_id",
            "name",
            "tagline",
            "category",
            "creator",
            "status",
            "network",
            "access_duration",
            "prices",
            "live_version",
            "purchase_count",
            "execution_count",
            "published_at",
        ]
        read_only_fields = fields

    @extend_schema_field(PriceSerializer(many=True))
    def get_prices(self, agent: Agent) -> list[dict[str, Any]]:
        book = TokenBook.of(self.context)
        prices = [amount_fields(price.amount, book.find(agent.network, price.token)) for price in agent.prices.all()]
        return sorted(prices, key=lambda price: (price["token"]["symbol"] != "ETH", price["token"]["symbol"]))

    @extend_schema_field({"type": "string", "nullable": True, "example": "1.2.0"})
    def get_live_version(self, agent: Agent) -> Any:
        version = agent.live_version
        return version.number if version else None


class ShareSerializer(serializers.Serializer[Any]):
    """What a run of a version gets."""

    memory_bytes = serializers.IntegerField()
    cpus = serializers.CharField(help_text='Cores, as in "0.5".')
    timeout_seconds = serializers.IntegerField()


class VersionSerializer(serializers.ModelSerializer[AgentVersion]):
    """A version with the schemas of what goes in and comes out, and what a run gets."""

    limits = ShareSerializer(source="share", read_only=True)
    runs_in = serializers.CharField(read_only=True, help_text='In words what is around a run, such as "gVisor".')

    class Meta:
        model = AgentVersion
        fields = [
            "id",
            "number",
            "status",
            "verdict",
            "verdict_reason",
            "kind",
            "image",
            "module",
            "input_schema",
            "output_schema",
            "example_input",
            "release_notes",
            "limits",
            "hosts",
            "gpus",
            "runtime",
            "runs_in",
            "created_at",
            "withdrawn_at",
        ]
        read_only_fields = fields


class AgentSerializer(AgentSummarySerializer):
    """An agent by itself, with its description and the version that runs."""

    description_html = serializers.SerializerMethodField(help_text="The description as safe HTML.")

    class Meta:
        model = Agent
        fields = [*AgentSummarySerializer.Meta.fields, "description", "description_html", "created_at", "updated_at"]
        read_only_fields = fields

    @extend_schema_field({"type": "string"})
    def get_description_html(self, agent: Agent) -> str:
        return render_markdown(agent.description)

    @extend_schema_field(VersionSerializer(allow_null=True))
    def get_live_version(self, agent: Agent) -> Any:
        version = agent.live_version
        return VersionSerializer(version).data if version else None


class NewAgentSerializer(serializers.Serializer[Any]):
    """A new agent. Values are judged by the operation, which names each refused one."""

    name = serializers.CharField(trim_whitespace=False)
    tagline = serializers.CharField(trim_whitespace=False)
    description = serializers.CharField(trim_whitespace=False, help_text="Markdown.")
    category = serializers.CharField(help_text="Slug of a category.")
    access_duration = serializers.IntegerField(
        required=False, help_text="Seconds of access a purchase gives; 0 is for ever."
    )
    prices = serializers.DictField(
        child=Uint256Field(),
        required=False,
        help_text='Base units by token symbol or address: {"ETH": "2000000000000000"}.',
    )


class ModuleSerializer(serializers.ModelSerializer[WasmModule]):
    """A WebAssembly module that was taken; a version names it by its SHA-256."""

    class Meta:
        model = WasmModule
        fields = ["sha256", "size"]
        read_only_fields = fields


class NewVersionSerializer(serializers.Serializer[Any]):
    """A new version. Values are judged by the operation, which names each refused one."""

    number = serializers.CharField(help_text="MAJOR.MINOR.PATCH, greater than every earlier one.")
    image = serializers.CharField(required=False, help_text="[registry/]repository@sha256:digest of a container image")
    module = serializers.CharField(required=False, help_text="Or the SHA-256 of a module sent to /modules.")
    input_schema = serializers.JSONField(help_text="JSON Schema 2020-12 with an object at the top.")
    output_schema = serializers.JSONField(help_text="JSON Schema 2020-12 with an object at the top.")
    example_input = serializers.JSONField(required=False, allow_null=True)
    release_notes = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    memory_bytes = serializers.IntegerField(required=False, allow_null=True, help_text="Null: the platform's usual.")
    cpus = serializers.CharField(required=False, allow_null=True, help_text='Cores, as in "0.5".')
    timeout_seconds = serializers.IntegerField(required=False, allow_null=True, help_text="How long a run may take.")
    hosts = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text='Hosts it may reach, as in "api.example.com:443"; none: it has no network.',
    )
    gpus = serializers.IntegerField(required=False, help_text="GPUs that a run gets.")
    runtime = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text='OCI runtime that the platform offers, such as "runsc" (gVisor), a stronger wall; empty: its usual.',
    )


class SearchSerializer(serializers.Serializer[Any]):
    """The query of the catalogue."""

    q = serializers.CharField(required=False, help_text='Words, "phrases", -exclusions.')
    category = serializers.CharField(required=False, help_text="Slug of a category.")
    token = serializers.CharField(required=False, help_text="Symbol or address of a token the agent is sold in.")
    network = serializers.SlugField(required=False, help_text="Where it is sold; the default network if not given.")
    ordering = serializers.ChoiceField(
        choices=["relevance", "newest", "popular", "price"],
        required=False,
        help_text="relevance (default with q), newest (default without), popular, price (in token, else in ETH).",
    )
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=100)
    cursor = serializers.CharField(required=False)


class AgentPageSerializer(serializers.Serializer[Any]):
    """A page of agents."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = AgentSummarySerializer(many=True)
