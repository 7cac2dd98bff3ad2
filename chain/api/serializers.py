"""How networks look in the API."""

from typing import Any

from rest_framework import serializers

from chain.api.fields import AddressField


class TokenSerializer(serializers.Serializer[Any]):
    """A token that is accepted as payment."""

    symbol = serializers.CharField()
    name = serializers.CharField()
    address = AddressField(help_text="The zero address is the network's own currency.")
    decimals = serializers.IntegerField()


class ContractsSerializer(serializers.Serializer[Any]):
    """Where our contracts are; null until they are deployed."""

    escrow = AddressField(allow_null=True)
    entitlements = AddressField(allow_null=True)


class NetworkSerializer(serializers.Serializer[Any]):
    """A network that purchases can be made on."""

    slug = serializers.CharField()
    name = serializers.CharField()
    chain_id = serializers.IntegerField()
    is_default = serializers.BooleanField()
    is_local = serializers.BooleanField(help_text="A development chain: its money is worth nothing.")
    explorer_url = serializers.CharField(allow_blank=True)
    confirmations = serializers.IntegerField(help_text="Blocks that must lie above a payment before access is given.")
    block_time = serializers.IntegerField(help_text="Seconds.")
    native_symbol = serializers.CharField()
    tokens = TokenSerializer(many=True)
    contracts = ContractsSerializer()
