"""What the API takes and gives about users and wallets."""

from typing import Any

from rest_framework import serializers

from wallets.models import LinkedWallet, User
from wallets.signin.message import MAX_MESSAGE_LENGTH
from wallets.signin.siwe import Purpose


class NonceRequest(serializers.Serializer[Any]):
    """A wish to sign in with (or link) an address."""

    address = serializers.CharField(max_length=42)
    chain_id = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    purpose = serializers.ChoiceField(choices=[purpose.value for purpose in Purpose], default=Purpose.SIGN_IN.value)


class ChallengeSerializer(serializers.Serializer[Any]):
    """The message to sign, unchanged, before `expires_at`."""

    nonce = serializers.CharField()
    message = serializers.CharField()
    expires_at = serializers.DateTimeField()


class SignedMessage(serializers.Serializer[Any]):
    """A message and the wallet's signature over it."""

    # Whitespace is part of what was signed. Length is judged by the verification, with its own code.
    message = serializers.CharField(trim_whitespace=False)
    signature = serializers.CharField(
        help_text=f"0x-prefixed hex; the message has at most {MAX_MESSAGE_LENGTH} characters"
    )


class VerifyRequest(SignedMessage):
    """A signed message, and whether to begin a browser session or to hand out tokens."""

    mode = serializers.ChoiceField(choices=["session", "token"], default="session")


class WalletSerializer(serializers.ModelSerializer[LinkedWallet]):
    """A linked wallet."""

    address = serializers.CharField(read_only=True)

    class Meta:
        model = LinkedWallet
        fields = ["address", "is_primary", "created_at", "last_used_at"]
        read_only_fields = fields


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


class SignedIn(serializers.Serializer[Any]):
    """The user, and in token mode the pair."""

    user = UserSerializer()
    access = serializers.CharField(required=False, help_text="mode `token` only; valid for 15 minutes")
    refresh = serializers.CharField(required=False, help_text="mode `token` only; exchanged once for the next pair")


class RefreshRequest(serializers.Serializer[Any]):
    """The refresh token in force."""

    refresh = serializers.CharField()


class PairSerializer(serializers.Serializer[Any]):
    """A new pair; the old refresh token is used up."""

    access = serializers.CharField()
    refresh = serializers.CharField()
