"""What the API takes and gives about smart accounts and user operations. Amounts are base units as strings."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from chain.api.fields import AddressField
from chain.api.serializers import TokenSerializer
from chain.calls import Call
from chain.errors import UnknownNetworkError
from chain.networks import Network, get_network
from chain.tokens import format_amount, format_units
from wallets.api.described import example
from wallets.api.examples import ADDRESS, CALL, SIGNATURE, SMART_ACCOUNT
from wallets.models import SmartAccount, UserOperation
from wallets.smart_accounts import keys
from wallets.smart_accounts.accounts import Holdings
from wallets.smart_accounts.user_op import UserOp

MOST_DATA = 16_384


class OwnerPasskeySerializer(serializers.Serializer[Any]):
    """A passkey that owns a smart account."""

    credential_id = serializers.CharField(source="credential", help_text="In base64url.")
    transports = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()


@extend_schema_serializer(examples=[example(SMART_ACCOUNT)])
class SmartAccountSerializer(serializers.ModelSerializer[SmartAccount]):
    """A smart account; its address can be paid before its contract is there."""

    chain_id = serializers.SerializerMethodField()
    owner = serializers.ChoiceField(choices=SmartAccount.Owner.choices, source="owner_kind", read_only=True)
    passkeys = serializers.SerializerMethodField(help_text="Those that own it now, at most two; none for a wallet's.")
    address_url = serializers.SerializerMethodField(help_text="The account in the block explorer, if there is one.")

    class Meta:
        model = SmartAccount
        fields = [
            *("id", "network", "chain_id", "address", "owner", "owner_address", "passkeys"),
            *("is_deployed", "address_url", "created_at"),
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "integer", "nullable": True})
    def get_chain_id(self, account: SmartAccount) -> int | None:
        network = network_of(account.network)
        return network.chain_id if network else None

    @extend_schema_field(OwnerPasskeySerializer(many=True))
    def get_passkeys(self, account: SmartAccount) -> Any:
        return OwnerPasskeySerializer(keys.owners(account), many=True).data

    @extend_schema_field({"type": "string"})
    def get_address_url(self, account: SmartAccount) -> str:
        network = network_of(account.network)
        return network.address_url(account.address) if network else ""


class AccountBalanceSerializer(serializers.Serializer[Any]):
    """What an account has of a token."""

    token = TokenSerializer()
    amount = serializers.CharField()
    amount_display = serializers.CharField()


class SmartAccountDetailSerializer(SmartAccountSerializer):
    """A smart account with what it holds now."""

    balances = serializers.SerializerMethodField()
    gas_deposit = serializers.SerializerMethodField(help_text="Wei at the EntryPoint, from which gas is paid first.")

    class Meta(SmartAccountSerializer.Meta):
        fields = [*SmartAccountSerializer.Meta.fields, "balances", "gas_deposit"]
        read_only_fields = fields

    @extend_schema_field(AccountBalanceSerializer(many=True))
    def get_balances(self, account: SmartAccount) -> Any:
        holdings: Holdings = self.context["holdings"]
        rows = [
            {"token": token, "amount": str(amount), "amount_display": format_amount(amount, token)}
            for token, amount in holdings.balances
        ]
        return AccountBalanceSerializer(rows, many=True).data

    @extend_schema_field({"type": "string"})
    def get_gas_deposit(self, account: SmartAccount) -> str:
        holdings: Holdings = self.context["holdings"]
        return str(holdings.deposit)


@extend_schema_serializer(examples=[example({"owner": ADDRESS, "network": "base"}, "Owned by a wallet")])
class NewSmartAccountSerializer(serializers.Serializer[Any]):
    """Either one of your wallets as the owner, or a new passkey."""

    network = serializers.SlugField(required=False, help_text="By default the site's own network.")
    owner = AddressField(required=False, help_text="One of your wallets.")
    credential = serializers.JSONField(
        required=False, help_text="`PublicKeyCredential.toJSON()` of a passkey made with the options of this API."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("owner" in attrs) == ("credential" in attrs):
            raise serializers.ValidationError("Give either owner or credential.")
        if "credential" in attrs and not isinstance(attrs["credential"], dict):
            raise serializers.ValidationError({"credential": "This is not a credential."})
        return attrs


class PasskeyOptionsRequest(serializers.Serializer[Any]):
    """What the passkey is for."""

    account = serializers.UUIDField(
        required=False, help_text="For its backup: devices that have a passkey of this account are then left out."
    )


class BackupPasskeySerializer(serializers.Serializer[Any]):
    """A passkey just made, to be an account's second one."""

    credential = serializers.DictField(
        child=serializers.JSONField(),
        help_text="`PublicKeyCredential.toJSON()` of a passkey made with the options of this API.",
    )


class AccountCallSerializer(serializers.Serializer[Any]):
    """A call that the account makes; data and value in hex, as purchases give them."""

    to = AddressField()
    data = serializers.RegexField(r"^0x(?:[0-9a-fA-F]{2})*$", max_length=MOST_DATA, default="0x")  # type: ignore[assignment]
    value = serializers.RegexField(r"^0x[0-9a-fA-F]{1,64}$", default="0x0")

    def to_call(self, chain_id: int) -> Call:
        """What was given, for a chain."""
        given = self.validated_data
        return Call(chain_id, given["to"], bytes.fromhex(given["data"][2:]), int(given["value"], 16))


@extend_schema_serializer(
    examples=[example({"account": SMART_ACCOUNT["id"], "calls": [CALL], "sponsored": None}, "Send 0.001 ETH")]
)
class NewUserOperationSerializer(serializers.Serializer[Any]):
    """A wish to have an account do something."""

    account = serializers.UUIDField()
    calls = AccountCallSerializer(many=True, help_text="All are made, in order, or none.")
    sponsored = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="True: only if the platform pays the gas. False: the account pays. Null: the platform if it does.",
    )


@extend_schema_serializer(examples=[example({"signature": SIGNATURE}, "Of a wallet")])
class OperationSignatureSerializer(serializers.Serializer[Any]):
    """The owner's signature: of a wallet, or a passkey's assertion whose challenge is the operation's hash."""

    signature = serializers.RegexField(
        r"^0x[0-9a-fA-F]{130}$", required=False, help_text="`personal_sign` of the 32 bytes of user_op_hash."
    )
    assertion = serializers.JSONField(
        required=False, help_text="`{authenticatorData, clientDataJSON, signature}` in base64url."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("signature" in attrs) == ("assertion" in attrs):
            raise serializers.ValidationError("Give either signature or assertion.")
        if "assertion" in attrs and not isinstance(attrs["assertion"], dict):
            raise serializers.ValidationError({"assertion": "This is not an assertion."})
        return attrs


class UserOperationSerializer(serializers.ModelSerializer[UserOperation]):
    """A user operation: what it does, what it may cost, where it stands."""

    account = SmartAccountSerializer(read_only=True)
    user_operation = serializers.SerializerMethodField(help_text="In the RPC form of ERC-7769, without a signature.")
    signers = serializers.SerializerMethodField(help_text="The passkeys that may sign it; none where a wallet does.")
    is_sponsored = serializers.SerializerMethodField(help_text="Whether somebody else pays the gas.")
    displaced_by = serializers.SerializerMethodField(
        help_text="The operation with the same nonce that is in a block instead: its replacement, or what it replaced."
    )
    max_gas_cost = serializers.SerializerMethodField(help_text="The most its gas can cost, in wei.")
    max_gas_cost_display = serializers.SerializerMethodField()
    gas_cost_display = serializers.SerializerMethodField(help_text="What its gas did cost.")
    transaction_url = serializers.SerializerMethodField()

    class Meta:
        model = UserOperation
        fields = [
            *("id", "status", "code", "detail", "purpose", "account", "entry_point", "user_op_hash", "calls"),
            *("user_operation", "signers", "is_sponsored", "max_gas_cost", "max_gas_cost_display", "gas_cost"),
            *(
                "gas_cost_display",
                "replaces",
                "displaced_by",
                "expires_at",
                "created_at",
                "signed_at",
                "sent_at",
                "closed_at",
            ),
            *("confirmed_at", "transaction_hash", "transaction_url", "block_number"),
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_user_operation(self, operation: UserOperation) -> dict[str, str]:
        return UserOp.of(operation).with_(signature=b"").as_rpc()

    @extend_schema_field(OwnerPasskeySerializer(many=True))
    def get_signers(self, operation: UserOperation) -> Any:
        return OwnerPasskeySerializer(keys.signers(operation), many=True).data

    @extend_schema_field({"type": "string", "format": "uuid", "nullable": True})
    def get_displaced_by(self, operation: UserOperation) -> str | None:
        winner = operation.displaced_by
        return str(winner.pk) if winner else None

    @extend_schema_field({"type": "boolean"})
    def get_is_sponsored(self, operation: UserOperation) -> bool:
        return operation.paymaster is not None

    @extend_schema_field({"type": "string"})
    def get_max_gas_cost(self, operation: UserOperation) -> str:
        return str(operation.max_gas_cost)

    @extend_schema_field({"type": "string", "example": "0.0004 ETH"})
    def get_max_gas_cost_display(self, operation: UserOperation) -> str:
        return _ether(operation, operation.max_gas_cost)

    @extend_schema_field({"type": "string", "nullable": True})
    def get_gas_cost_display(self, operation: UserOperation) -> str | None:
        return None if operation.gas_cost is None else _ether(operation, operation.gas_cost)

    @extend_schema_field({"type": "string"})
    def get_transaction_url(self, operation: UserOperation) -> str:
        network = network_of(operation.account.network)
        return network.transaction_url(operation.transaction_hash) if network and operation.transaction_hash else ""


def network_of(slug: str) -> Network | None:
    """The network, or None when it is no longer configured."""
    try:
        return get_network(slug)
    except UnknownNetworkError:
        return None


def _ether(operation: UserOperation, wei: int) -> str:
    """Six significant digits are enough for a fee, rounded up."""
    network = network_of(operation.account.network)
    step = 10 ** max(0, len(str(wei)) - 6)
    return f"{format_units(-(-wei // step) * step, 18)} {network.native_symbol if network else 'ETH'}"
