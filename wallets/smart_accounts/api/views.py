"""Smart accounts and user operations over HTTP. Everybody sees their own only."""

import re
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chain.errors import DomainError
from chain.networks import default_network, get_network
from wallets.api.people import signed_in
from wallets.models import UserOperation
from wallets.smart_accounts import accounts, following, keys, operations, passkeys, recovery
from wallets.smart_accounts.api.answers import ACCOUNT, BUILDING, KEYS, OPENING, OPERATION, REPLACING, SUBMITTING
from wallets.smart_accounts.api.serializers import (
    AccountCallSerializer,
    BackupPasskeySerializer,
    NewSmartAccountSerializer,
    NewUserOperationSerializer,
    OperationSignatureSerializer,
    PasskeyOptionsRequest,
    SmartAccountDetailSerializer,
    SmartAccountSerializer,
    UserOperationSerializer,
)
from wallets.smart_accounts.api.throttles import ACCOUNTS, OPERATIONS, limit
from wallets.smart_accounts.errors import SmartAccountError
from wallets.smart_accounts.signing import Assertion

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 100 visible characters. The same key with the same body gives the same operation.",
)
_KEY = re.compile(r"[\x21-\x7e]{1,100}")


class SmartAccountsView(APIView):
    """Your smart accounts."""

    @extend_schema(responses=SmartAccountSerializer(many=True), tags=["smart accounts"])
    def get(self, request: Request) -> Response:
        return Response(SmartAccountSerializer(accounts.usable_by(signed_in(request)), many=True).data)

    @extend_schema(
        request=NewSmartAccountSerializer, responses={201: SmartAccountSerializer, **OPENING}, tags=["smart accounts"]
    )
    def post(self, request: Request) -> Response:
        """Open the smart account of a wallet of yours, or one owned by a new passkey. Nothing is sent to the chain."""
        user = signed_in(request)
        body = NewSmartAccountSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        limit(ACCOUNTS, user)
        given = body.validated_data
        network = get_network(given["network"]) if "network" in given else default_network()
        if "owner" in given:
            account = accounts.open_for_wallet(user, given["owner"], network)
        else:
            accounts.require_offered(network)
            account = accounts.open_for_passkey(user, passkeys.registered(user, given["credential"]), network)
        return Response(SmartAccountSerializer(account).data, status=status.HTTP_201_CREATED)


class PasskeyOptionsView(APIView):
    """How to make a passkey for a smart account."""

    @extend_schema(request=PasskeyOptionsRequest, responses={200: {"type": "object"}}, tags=["smart accounts"])
    def post(self, request: Request) -> Response:
        """Options for `navigator.credentials.create`, bytes in base64url; good once, for five minutes."""
        user = signed_in(request)
        body = PasskeyOptionsRequest(data=request.data)
        body.is_valid(raise_exception=True)
        limit(ACCOUNTS, user)
        backed_up = body.validated_data.get("account")
        others = keys.owners(accounts.own(user, backed_up)) if backed_up else []
        return Response(passkeys.registration_options(user, others), headers={"Cache-Control": "no-store"})


class SmartAccountView(APIView):
    """One smart account."""

    @extend_schema(responses={200: SmartAccountDetailSerializer, **ACCOUNT}, tags=["smart accounts"])
    def get(self, request: Request, account_id: UUID) -> Response:
        """With its balances, as the chain has them now."""
        account = accounts.own(signed_in(request), account_id)
        holdings = accounts.holdings(account)
        return Response(SmartAccountDetailSerializer(account, context={"holdings": holdings}).data)


class AccountPasskeysView(APIView):
    """The passkeys that own a smart account."""

    @extend_schema(
        request=BackupPasskeySerializer, responses={201: UserOperationSerializer, **KEYS}, tags=["smart accounts"]
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        """Build the operation that adds a second passkey as backup; the first one signs it.

        Either passkey can then do everything alone. It owns the account once the operation is `included`.
        """
        user = signed_in(request)
        account = accounts.own(user, account_id)
        body = BackupPasskeySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        limit(OPERATIONS, user)
        operation = recovery.add_backup(account, passkeys.registered(user, body.validated_data["credential"]))
        return Response(UserOperationSerializer(operation).data, status=status.HTTP_201_CREATED)


class AccountPasskeyRemoveView(APIView):
    """One passkey of a smart account."""

    @extend_schema(request=None, responses={201: UserOperationSerializer, **KEYS}, tags=["smart accounts"])
    def post(self, request: Request, account_id: UUID, credential_id: str) -> Response:
        """Build the operation that takes this passkey away; the one that stays signs it."""
        user = signed_in(request)
        account = accounts.own(user, account_id)
        limit(OPERATIONS, user)
        operation = recovery.remove(account, credential_id)
        return Response(UserOperationSerializer(operation).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["smart accounts"])
@extend_schema_view(get=extend_schema(description="Your operations, newest first."))
class UserOperationsView(ListAPIView[UserOperation]):
    serializer_class = UserOperationSerializer
    queryset = UserOperation.objects.none()
    filter_backends = ()

    def get_queryset(self) -> QuerySet[UserOperation]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        mine = UserOperation.objects.filter(account__user=signed_in(self.request))
        return mine.select_related("account").prefetch_related("account__backups")

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NewUserOperationSerializer,
        responses={201: UserOperationSerializer, **BUILDING},
    )
    def post(self, request: Request) -> Response:
        """Build an operation and estimate its gas. Sign its `user_op_hash`, then submit the signature."""
        user = signed_in(request)
        key = request.headers.get("Idempotency-Key")
        if key is not None and not _KEY.fullmatch(key):
            raise SmartAccountError(
                "An idempotency key is 1 to 100 visible ASCII characters without spaces.", code="invalid"
            )
        body = NewUserOperationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        limit(OPERATIONS, user)
        account = accounts.own(user, body.validated_data["account"])
        network = get_network(account.network)
        wished = []
        for given in body.validated_data["calls"]:
            call = AccountCallSerializer(data=given)
            call.is_valid(raise_exception=True)
            wished.append(call.to_call(network.chain_id))
        operation = operations.build(account, wished, sponsored=body.validated_data["sponsored"], idempotency_key=key)
        return Response(UserOperationSerializer(operation).data, status=status.HTTP_201_CREATED)


class UserOperationView(APIView):
    """One operation."""

    @extend_schema(responses={200: UserOperationSerializer, **OPERATION}, tags=["smart accounts"])
    def get(self, request: Request, operation_id: UUID) -> Response:
        """Where it stands; while it is on its way the chain is asked first."""
        operation = operations.own(signed_in(request), operation_id)
        with suppress(DomainError):  # without node or bundler, what we know is still the answer
            operation = following.follow(operation)
        return Response(UserOperationSerializer(operation).data)


class UserOperationSubmitView(APIView):
    """The owner's signature."""

    @extend_schema(
        request=OperationSignatureSerializer,
        responses={200: UserOperationSerializer, **SUBMITTING},
        tags=["smart accounts"],
    )
    def post(self, request: Request, operation_id: UUID) -> Response:
        """Hand the signed operation to a bundler. Safe to repeat: it is never sent with other bytes."""
        user = signed_in(request)
        operation = operations.own(user, operation_id)
        body = OperationSignatureSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        limit(OPERATIONS, user)
        given: dict[str, Any] = body.validated_data
        signature = given["signature"] if "signature" in given else Assertion.of(given["assertion"])
        operation = operations.submit(user, operation, signature)
        return Response(UserOperationSerializer(operation).data)


class UserOperationReplaceView(APIView):
    """The same operation with higher fees."""

    @extend_schema(request=None, responses={201: UserOperationSerializer, **REPLACING}, tags=["smart accounts"])
    def post(self, request: Request, operation_id: UUID) -> Response:
        """Builds it anew, to be signed; of the two only one can happen."""
        user = signed_in(request)
        limit(OPERATIONS, user)
        operation = operations.replace(user, operations.own(user, operation_id))
        return Response(UserOperationSerializer(operation).data, status=status.HTTP_201_CREATED)
