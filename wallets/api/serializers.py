"""What the API takes and gives about users and wallets."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from wallets.api.described import example
from wallets.api.examples import ADDRESS, API_KEY, MESSAGE, NONCE, SIGNATURE, TOKEN, USER, WALLET
from wallets.credentials.models import Scope
from wallets.models import ApiKey, LinkedWallet, User
from wallets.signin.message import MAX_MESSAGE_LENGTH
from wallets.signin.siwe import Purpose


@extend_schema_serializer(examples=[example({"address": ADDRESS, "chain_id": 8453, "purpose": "sign_in"})])
class NonceRequest(serializers.Serializer[Any]):
    """A wish to sign in with (or link) an address."""

    address = serializers.CharField(max_length=42)
    chain_id = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    purpose = serializers.ChoiceField(choices=[purpose.value for purpose in Purpose], default=Purpose.SIGN_IN.value)


@extend_schema_serializer(
    examples=[example({"nonce": NONCE, "message": MESSAGE, "expires_at": "2026-01-02T03:09:05Z"})]
)
class ChallengeSerializer(serializers.Serializer[Any]):
    """The message to sign, unchanged, before `expires_at`."""

    nonce = serializers.CharField()
    message = serializers.CharField()
    expires_at = serializers.DateTimeField()


@extend_schema_serializer(examples=[example({"message": MESSAGE, "signature": SIGNATURE})])
class SignedMessage(serializers.Serializer[Any]):
    """A message and the wallet's signature over it."""

    # Whitespace is part of what was signed. Length is judged by the verification, with its own code.
    message = serializers.CharField(trim_whitespace=False)
    signature = serializers.CharField(
        help_text=f"0x-prefixed hex; the message has at most {MAX_MESSAGE_LENGTH} characters"
    )


@extend_schema_serializer(examples=[example({"message": MESSAGE, "signature": SIGNATURE, "mode": "token"})])
class VerifyRequest(SignedMessage):
    """A signed message, and whether to begin a browser session or to hand out tokens."""

    mode = serializers.ChoiceField(choices=["session", "token"], default="session")


@extend_schema_serializer(examples=[example(WALLET)])
class WalletSerializer(serializers.ModelSerializer[LinkedWallet]):
    """A linked wallet."""

    address = serializers.CharField(read_only=True)

    class Meta:
        model = LinkedWallet
        fields = ["address", "is_primary", "created_at", "last_used_at"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        example(USER, response_only=True),
        example({"display_name": "Ann"}, request_only=True),
    ]
)
class UserSerializer(serializers.ModelSerializer[User]):
    """The signed-in user, as only that user sees it."""

    display_name = serializers.CharField(max_length=50, allow_blank=True, required=False)
    wallets = WalletSerializer(many=True, read_only=True)
    primary_address = serializers.CharField(read_only=True, allow_null=True)
    shown_name = serializers.CharField(read_only=True)

    class Meta:
        model = User
        fields = [
            "id", "display_name", "shown_name", "email", "primary_address", "wallets", "is_staff", "date_joined"
        ]  # fmt: skip
        read_only_fields = ["id", "email", "is_staff", "date_joined"]

    def validate_display_name(self, value: str) -> str:
        if not all(character.isprintable() for character in value):
            raise serializers.ValidationError("Use printable characters only.")
        return value


@extend_schema_serializer(examples=[example({"user": USER, "access": TOKEN, "refresh": TOKEN})])
class SignedIn(serializers.Serializer[Any]):
    """The user, and in token mode the pair."""

    user = UserSerializer()
    access = serializers.CharField(required=False, help_text="mode `token` only; valid for 15 minutes")
    refresh = serializers.CharField(required=False, help_text="mode `token` only; exchanged once for the next pair")


@extend_schema_serializer(examples=[example({"refresh": TOKEN})])
class RefreshRequest(serializers.Serializer[Any]):
    """The refresh token in force."""

    refresh = serializers.CharField()


@extend_schema_serializer(examples=[example({"access": TOKEN, "refresh": TOKEN})])
class PairSerializer(serializers.Serializer[Any]):
    """A new pair; the old refresh token is used up."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class SessionSerializer(serializers.Serializer[Any]):
    """A place where the user is signed in: a browser, or a program with tokens."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["browser", "program"])
    address = serializers.CharField(allow_null=True, help_text="the wallet that signed; null after an e-mail login")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="programs only: when the tokens were refreshed")
    ip = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField()
    current = serializers.BooleanField(help_text="whether this request belongs to it")


@extend_schema_serializer(
    examples=[
        example({"name": "nightly report", "scopes": ["agents:read"], "expires_at": None}, request_only=True),
        example(API_KEY, response_only=True),
    ]
)
class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """An API key, without its secret."""

    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices), allow_empty=False)
    rotated = serializers.SerializerMethodField()

    class Meta:
        model = ApiKey
        fields = [
            "id", "name", "prefix", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at", "rotated"
        ]  # fmt: skip
        read_only_fields = ["id", "prefix", "created_at", "last_used_at", "revoked_at"]

    def get_rotated(self, key: ApiKey) -> bool:
        """Whether it has a successor, and so ends soon."""
        return key.successor_id is not None

    def validate_name(self, value: str) -> str:
        if not all(character.isprintable() for character in value):
            raise serializers.ValidationError("Use printable characters only.")
        return value

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("Choose a time in the future.")
        return value


@extend_schema_serializer(examples=[example({**API_KEY, "key": "anx_3f9c1b7a20de_…"}, response_only=True)])
class NewApiKeySerializer(ApiKeySerializer):
    """An API key just made, with the only copy of its text."""

    key = serializers.CharField(read_only=True, help_text="send it as `Authorization: Bearer <key>`; shown only now")

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key"]
