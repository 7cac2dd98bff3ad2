"""What a client must know of the chains before it can buy."""

from typing import Any

from django.conf import settings
from django.utils.cache import patch_cache_control
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chain.api.serializers import NetworkSerializer
from chain.artefacts import ENTITLEMENTS, ESCROW
from chain.models import Deployment
from chain.networks import Network, all_networks
from chain.tokens import tokens_for

MAX_AGE_SECONDS = 60


class NetworksView(APIView):
    """The networks of this installation."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    @extend_schema(operation_id="networks_list", tags=["networks"], responses=NetworkSerializer(many=True), auth=[])
    def get(self, request: Request) -> Response:
        """Networks, the tokens accepted on each, and the addresses of the contracts. Public; cached for a minute."""
        addresses: dict[tuple[str, str], str] = {
            (row.network, row.contract): row.address
            for row in Deployment.objects.filter(contract__in=[ESCROW, ENTITLEMENTS])
        }
        shown = [_describe(network, addresses) for network in all_networks()]
        response = Response(NetworkSerializer(shown, many=True).data)
        patch_cache_control(response, public=True, max_age=MAX_AGE_SECONDS)
        return response


def _describe(network: Network, addresses: dict[tuple[str, str], str]) -> dict[str, Any]:
    return {
        "slug": network.slug,
        "name": network.name,
        "chain_id": network.chain_id,
        "is_default": network.slug == settings.DEFAULT_NETWORK,
        "is_local": network.is_local,
        "explorer_url": network.explorer_url,
        "confirmations": network.confirmations,
        "block_time": network.block_time,
        "native_symbol": network.native_symbol,
        "tokens": tokens_for(network),
        "contracts": {
            "escrow": addresses.get((network.slug, ESCROW)),
            "entitlements": addresses.get((network.slug, ENTITLEMENTS)),
        },
    }
