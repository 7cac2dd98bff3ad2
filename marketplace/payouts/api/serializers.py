"""What the API gives about sales and payouts. Amounts are base units as strings."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chain.api.fields import AddressField
from chain.api.serializers import TokenSerializer
from chain.errors import UnknownNetworkError
from chain.networks import get_network
from chain.tokens import format_amount
from marketplace.api.tokens import TokenBook
from marketplace.payouts.balances import Balance
from marketplace.payouts.models import Withdrawal
from marketplace.purchases.api.serializers import StepSerializer


class BalanceSerializer(serializers.Serializer[Balance]):
    """Of one wallet in one token of one network."""

    network = serializers.CharField()
    account = serializers.CharField()
    token = serializers.SerializerMethodField()
    held = serializers.SerializerMethodField(help_text="Your share of payments in escrow that are not settled yet.")
    withdrawable = serializers.SerializerMethodField(help_text="Credited; can be withdrawn.")
    withdrawable_display = serializers.SerializerMethodField()
    withdrawn = serializers.SerializerMethodField(help_text="Paid out so far.")

    @extend_schema_field(TokenSerializer)
    def get_token(self, balance: Balance) -> Any:
        return TokenSerializer(TokenBook.of(self.context).find(balance.network, balance.token)).data

    def get_held(self, balance: Balance) -> str:
        return str(balance.held)

    def get_withdrawable(self, balance: Balance) -> str:
        return str(balance.withdrawable)

    def get_withdrawable_display(self, balance: Balance) -> str:
        token = TokenBook.of(self.context).find(balance.network, balance.token)
        return format_amount(balance.withdrawable, token)

    def get_withdrawn(self, balance: Balance) -> str:
        return str(balance.withdrawn)


class PayoutSerializer(serializers.ModelSerializer[Withdrawal]):
    """A payout to one of your wallets."""

    token = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()
    amount_display = serializers.SerializerMethodField()
    transaction_hash = serializers.CharField(source="event.transaction_hash")
    transaction_url = serializers.SerializerMethodField()
    paid_at = serializers.DateTimeField(source="block_time")
    confirmed = serializers.SerializerMethodField()

    class Meta:
        model = Withdrawal
        fields = [
            *("network", "account", "token", "amount", "amount_display", "transaction_hash", "transaction_url"),
            *("paid_at", "confirmed"),
        ]
        read_only_fields = fields

    @extend_schema_field(TokenSerializer)
    def get_token(self, row: Withdrawal) -> Any:
        return TokenSerializer(TokenBook.of(self.context).find(row.network, row.token)).data

    def get_amount(self, row: Withdrawal) -> str:
        return str(row.amount)

    def get_amount_display(self, row: Withdrawal) -> str:
        return format_amount(row.amount, TokenBook.of(self.context).find(row.network, row.token))

    def get_transaction_url(self, row: Withdrawal) -> str:
        try:
            return get_network(row.network).transaction_url(row.event.transaction_hash)
        except UnknownNetworkError:
            return ""

    def get_confirmed(self, row: Withdrawal) -> bool:
        return row.status == "confirmed"


class PayoutsSerializer(serializers.Serializer[Any]):
    """Balances of all your wallets, and the newest payouts to them."""

    balances = BalanceSerializer(many=True)
    payouts = PayoutSerializer(many=True)


class WithdrawSerializer(serializers.Serializer[Any]):
    """Which credit to withdraw."""

    network = serializers.SlugField()
    token = serializers.CharField(max_length=64, help_text="Symbol or address.")
    account = AddressField(help_text="One of your wallets; the money goes there.")


class WithdrawCallSerializer(StepSerializer):
    """The transaction that pays the credit out; any wallet may send it."""

    kind = serializers.ChoiceField(choices=["withdraw"])


class WithdrawingSerializer(serializers.Serializer[Any]):
    """What to sign."""

    transactions = WithdrawCallSerializer(many=True)
