"""The signed-in user and the linked wallets."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets.api.described import problems
from wallets.api.people import signed_in
from wallets.api.serializers import SignedMessage, UserSerializer, WalletSerializer
from wallets.api.signin import binder_of
from wallets.api.throttles import limit_sign_in
from wallets.errors import (
    LastWayInError,
    ProofRequiredError,
    SignInError,
    WalletNotLinkedError,
    WalletTakenError,
)
from wallets.signin import linked, siwe
from wallets.signin.addresses import checksummed
from wallets.signin.proof import require_proof

_NOT_LINKED = WalletNotLinkedError("This address is not one of your wallets.")
_FOUND = problems(_NOT_LINKED)
_LINKED = problems(
    *SignInError.every(), ProofRequiredError(), WalletTakenError("This wallet already enters another account.")
)
_UNLINKED = problems(
    ProofRequiredError(),
    _NOT_LINKED,
    LastWayInError("This wallet is the only way into your account. Link another first."),
)


class MeView(APIView):
    """The signed-in user."""

    @extend_schema(responses=UserSerializer, tags=["account"])
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(signed_in(request)).data)

    @extend_schema(request=UserSerializer, responses=UserSerializer, tags=["account"])
    def patch(self, request: Request) -> Response:
        """Change the display name; everything else is read-only."""
        serializer = UserSerializer(signed_in(request), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        user = signed_in(request)
        if "display_name" in serializer.validated_data:
            user.display_name = serializer.validated_data["display_name"]
            user.save(update_fields=["display_name"])
        return Response(UserSerializer(user).data)


class WalletsView(APIView):
    """The wallets of the account."""

    @extend_schema(responses=WalletSerializer(many=True), tags=["account"])
    def get(self, request: Request) -> Response:
        wallets = signed_in(request).wallets.order_by("-is_primary", "pk")
        return Response(WalletSerializer(wallets, many=True).data)

    @extend_schema(request=SignedMessage, responses={201: WalletSerializer, **_LINKED}, tags=["account"])
    def post(self, request: Request) -> Response:
        """Link another wallet: send the message of a nonce with purpose `link`, signed by that wallet.

        Like unlinking, only within five minutes of a sign-in or a confirmation.
        """
        limit_sign_in(request)
        require_proof(request)
        body = SignedMessage(data=request.data)
        body.is_valid(raise_exception=True)
        verified = siwe.verify(
            body.validated_data["message"],
            body.validated_data["signature"],
            binder_of(request, siwe.Purpose.LINK) or "",
            purpose=siwe.Purpose.LINK,
        )
        wallet = linked.link(signed_in(request), verified)
        return Response(WalletSerializer(wallet).data, status=status.HTTP_201_CREATED)


class WalletView(APIView):
    """One wallet of the account."""

    @extend_schema(responses={204: None, **_UNLINKED}, tags=["account"])
    def delete(self, request: Request, address: str) -> Response:
        """Unlink it, unless it is the last way into the account. What it had signed in ends."""
        require_proof(request)
        linked.unlink(signed_in(request), checksummed(address))
        return Response(status=status.HTTP_204_NO_CONTENT)


class PrimaryWalletView(APIView):
    """Which wallet pays and receives by default."""

    @extend_schema(request=None, responses={200: WalletSerializer, **_FOUND}, tags=["account"])
    def post(self, request: Request, address: str) -> Response:
        return Response(WalletSerializer(linked.make_primary(signed_in(request), checksummed(address))).data)
