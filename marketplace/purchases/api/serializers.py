"""What the API takes and gives about purchases."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chain.api.fields import AddressField
from chain.api.serializers import TokenSerializer
from chain.bindings.authorization import Authorization
from chain.errors import UnknownNetworkError
from chain.networks import Network, get_network
from chain.tokens import Token, format_amount
from marketplace.api.tokens import TokenBook
from marketplace.models import Agent, Purchase, Statement
from marketplace.purchases.deposits import Step
from marketplace.purchases.parties import Party
from marketplace.purchases.quotes import quote_of
from marketplace.purchases.settling import Action
from marketplace.purchases.timeline import State
from wallets.smart_accounts.api.serializers import UserOperationSerializer


class PurchasedAgentSerializer(serializers.ModelSerializer[Agent]):
    """The agent a purchase is of."""

    class Meta:
        model = Agent
        fields = ["id", "slug", "name", "onchain_id"]
        read_only_fields = fields


class PurchaseSerializer(serializers.ModelSerializer[Purchase]):
    """A purchase: its terms, where it stands, and what the chain said. Amounts are base units as strings."""

    agent = PurchasedAgentSerializer(read_only=True)
    token = serializers.SerializerMethodField()
    amount_display = serializers.SerializerMethodField()
    chain_id = serializers.SerializerMethodField()
    confirmations = serializers.SerializerMethodField(help_text="Blocks above the deposit until it counts.")
    deposit_url = serializers.SerializerMethodField(help_text="The deposit in the block explorer, if there is one.")

    class Meta:
        model = Purchase
        fields = [
            "id",
            "status",
            "agent",
            "network",
            "chain_id",
            "confirmations",
            "payment_id",
            "token",
            "amount",
            "amount_display",
            "fee_bps",
            "access_duration",
            "creator_address",
            "recipient",
            "bound_payer",
            "valid_until",
            "payer",
            "deposit_tx_hash",
            "deposit_block",
            "deposit_url",
            "release_after",
            "expires_at",
            "refunded_amount",
            "created_at",
            "deposited_at",
            "activated_at",
            "closed_at",
        ]
        read_only_fields = fields

    def _token(self, purchase: Purchase) -> Token:
        return TokenBook.of(self.context).find(purchase.network, purchase.token)

    @staticmethod
    def _network(purchase: Purchase) -> Network | None:
        try:
            return get_network(purchase.network)
        except UnknownNetworkError:
            return None

    @extend_schema_field(TokenSerializer)
    def get_token(self, purchase: Purchase) -> Any:
        return TokenSerializer(self._token(purchase)).data

    @extend_schema_field({"type": "string", "example": "0.01 ETH"})
    def get_amount_display(self, purchase: Purchase) -> str:
        return format_amount(purchase.amount, self._token(purchase))

    @extend_schema_field({"type": "integer", "nullable": True})
    def get_chain_id(self, purchase: Purchase) -> int | None:
        network = self._network(purchase)
        return network.chain_id if network else None

    @extend_schema_field({"type": "integer", "nullable": True})
    def get_confirmations(self, purchase: Purchase) -> int | None:
        network = self._network(purchase)
        return network.confirmations if network else None

    @extend_schema_field({"type": "string"})
    def get_deposit_url(self, purchase: Purchase) -> str:
        network = self._network(purchase)
        return network.transaction_url(purchase.deposit_tx_hash) if network and purchase.deposit_tx_hash else ""


class StepSerializer(serializers.Serializer[Any]):
    """A transaction for a wallet to sign; data and value in hex."""

    kind = serializers.ChoiceField(choices=["approve", "deposit"])
    chainId = serializers.IntegerField()  # noqa: N815  as wallets call it
    to = serializers.CharField()
    data = serializers.CharField()  # type: ignore[assignment]
    value = serializers.CharField()


class PayablePurchaseSerializer(PurchaseSerializer):
    """A purchase with what is needed to pay it; `transactions` is empty once there is nothing to pay."""

    quote = serializers.SerializerMethodField(help_text="The escrow's Quote struct, integers as strings.")
    transactions = serializers.SerializerMethodField(help_text="To be sent in order, each once the last is mined.")
    authorization = serializers.SerializerMethodField(
        help_text="Typed data (EIP-712) that `payer` may sign instead: send the signature to /authorization, and its "
        "answer is the one transaction that pays. Null where the token does not take signatures."
    )
    user_operation = serializers.SerializerMethodField(
        help_text="When you ask for a quote for a smart account of yours: all of it as one operation, to be signed."
    )

    class Meta:
        model = Purchase
        fields = [
            *PurchaseSerializer.Meta.fields,
            *("quote", "signature", "transactions", "authorization", "user_operation"),
        ]
        read_only_fields = fields

    @extend_schema_field(UserOperationSerializer(allow_null=True))
    def get_user_operation(self, purchase: Purchase) -> Any:
        operation = self.context.get("user_operation")
        return None if operation is None else UserOperationSerializer(operation).data

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_quote(self, purchase: Purchase) -> dict[str, str | int]:
        return quote_of(purchase).as_json()

    @extend_schema_field(StepSerializer(many=True))
    def get_transactions(self, purchase: Purchase) -> list[dict[str, Any]]:
        steps: list[Step] = self.context.get("steps", [])
        return [step.as_json() for step in steps]

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": True})
    def get_authorization(self, purchase: Purchase) -> dict[str, Any] | None:
        found: Authorization | None = self.context.get("authorization")
        return found.typed_data() if found else None


class SignatureSerializer(serializers.Serializer[Any]):
    """A payer's signature of a purchase's `authorization`."""

    payer = AddressField()
    signature = serializers.CharField(max_length=4100)


class CallSerializer(StepSerializer):
    """A transaction that settles a payment."""

    kind = serializers.ChoiceField(choices=["release", "dispute", "refund", "withdraw"])


class SettlingSerializer(serializers.Serializer[Any]):
    """What to sign, and with which wallet."""

    signer = serializers.CharField(help_text="The address whose signature the escrow takes; anybody's for a payout.")
    transactions = CallSerializer(many=True)


class ReasonSerializer(serializers.Serializer[Any]):
    """Why the buyer disputes."""

    reason = serializers.CharField(trim_whitespace=False)


class TextSerializer(serializers.Serializer[Any]):
    """What a party of a dispute has to say."""

    text = serializers.CharField(trim_whitespace=False)


class StatementSerializer(serializers.ModelSerializer[Statement]):
    """A text that was kept, with the hash that the chain carries of a reason."""

    class Meta:
        model = Statement
        fields = ["id", "side", "text", "hash", "created_at"]
        read_only_fields = fields


class DisputingSerializer(SettlingSerializer):
    """The kept reason, and what to sign."""

    statement = StatementSerializer()


class EntrySerializer(serializers.Serializer[Any]):
    """One thing that happened or will."""

    kind = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in State])
    at = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField(help_text="A sentence about it.")
    quote = serializers.CharField(help_text="What somebody wrote.")
    transaction_hash = serializers.CharField()
    transaction_url = serializers.CharField()


class TimelineSerializer(serializers.Serializer[Any]):
    """The story of a payment, and what the reader may do about it now."""

    party = serializers.ChoiceField(choices=[party.value for party in Party])
    actions = serializers.ListField(child=serializers.ChoiceField(choices=[action.value for action in Action]))
    entries = EntrySerializer(many=True)


class NewPurchaseSerializer(serializers.Serializer[Any]):
    """A request for a quote."""

    agent = serializers.SlugField(help_text="Slug of the agent.")
    token = serializers.CharField(help_text="Symbol or address.", max_length=64)
    payer = AddressField(
        required=False, allow_null=True, help_text="Only this address may pay; its balance is checked."
    )
    recipient = AddressField(
        required=False, allow_null=True, help_text="Which of your wallets gets the access; by default the primary one."
    )
