"""Purchases over HTTP. Everybody sees their own only."""

from contextlib import suppress
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from chain.forms import parse_address
from marketplace.api.parsers import BodyParser
from marketplace.api.problems import problems
from marketplace.api.throttles import BrowseThrottle, QuoteThrottle
from marketplace.catalogue.api.views import READING, signed_in
from marketplace.errors import InvalidPurchaseError, QuoteOverError
from marketplace.models import Agent, Purchase
from marketplace.purchases.api.serializers import NewPurchaseSerializer, PayablePurchaseSerializer, PurchaseSerializer
from marketplace.purchases.authorizations import authorization_of
from marketplace.purchases.deposits import Step, deposit_calls
from marketplace.purchases.quotes import quote
from wallets.smart_accounts import accounts, operations

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 100 visible characters. The same key with the same body gives the same purchase.",
)
PAYER = OpenApiParameter("payer", str, description="Whose allowance decides whether an approval is needed.")


def payable(purchase: Purchase, payer: str | None, *, build: bool = False) -> dict[str, Any]:
    """The purchase with the transactions that are left to send: none when it is paid or its quote ran out.

    With `build`, for a payer that is a smart account of the buyer's, also one operation that does all of them.
    """
    context: dict[str, Any] = {}
    # Settled and lapsed purchases have nothing to pay; there the chain is not asked.
    with suppress(QuoteOverError):
        steps: list[Step] = deposit_calls(purchase, payer)
        context = {"steps": steps, "authorization": authorization_of(purchase, payer or purchase.bound_payer)}
        account = accounts.usable(purchase.buyer, network=purchase.network, address=payer) if build and payer else None
        if account is not None:
            purpose = f"Access to {purchase.agent.name}"
            context["user_operation"] = operations.build(account, [step.call for step in steps], purpose=purpose)
    return dict(PayablePurchaseSerializer(purchase, context=context).data)


@extend_schema(tags=["purchases"])
@extend_schema_view(get=extend_schema(operation_id="purchases_list", description="Your purchases, newest first."))
class PurchaseList(ListAPIView[Purchase]):
    serializer_class = PurchaseSerializer
    queryset = Purchase.objects.none()
    parser_classes = [BodyParser]
    filter_backends = ()

    def get_throttles(self) -> list[BaseThrottle]:
        return [BrowseThrottle() if self.request.method in READING else QuoteThrottle()]

    def get_queryset(self) -> QuerySet[Purchase]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return Purchase.objects.filter(buyer=signed_in(self.request)).select_related("agent")

    @extend_schema(
        operation_id="purchases_create",
        parameters=[IDEMPOTENCY_KEY],
        request=NewPurchaseSerializer,
        responses={
            201: PayablePurchaseSerializer,
            **problems(
                _400="Malformed.",
                _404="No such agent.",
                _409="Not for sale, your own, owned for ever already, or the key was used for another purchase.",
                _422="Refused values, or `insufficient_balance` with `needed` and `available` in base units.",
                _429="Too many quotes.",
                _503="The chain or the limiter cannot be reached; nothing happened.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Ask for a quote: terms, the platform's signature, and the transactions for a wallet to sign, or, when the
        payer is a smart account of yours, the operation for its owner to sign."""
        values = NewPurchaseSerializer(data=request.data)
        values.is_valid(raise_exception=True)
        asked = values.validated_data
        buyer = signed_in(request)
        agent = get_object_or_404(Agent.objects.visible_to(buyer), slug=asked["agent"])
        payer = asked.get("payer")
        purchase = quote(
            buyer,
            agent,
            asked["token"],
            recipient=asked.get("recipient"),
            idempotency_key=request.headers.get("Idempotency-Key"),
            payer=payer,
        )
        return Response(payable(purchase, payer, build=True), status=status.HTTP_201_CREATED)


@extend_schema(tags=["purchases"])
class PurchaseDetail(APIView):
    throttle_classes = [BrowseThrottle]

    @extend_schema(
        operation_id="purchases_read",
        parameters=[PAYER],
        responses={200: PayablePurchaseSerializer, **problems(_404="No such purchase of yours.")},
    )
    def get(self, request: Request, purchase_id: Any) -> Response:
        """One purchase; while its quote can be paid, with the transactions to send."""
        mine = Purchase.objects.filter(buyer=signed_in(request)).select_related("agent")
        purchase = get_object_or_404(mine, pk=purchase_id)
        return Response(payable(purchase, _payer(request)))


def _payer(request: Request) -> str | None:
    text = request.query_params.get("payer")
    if not text:
        return None
    try:
        return parse_address(text)
    except ValueError as exc:
        raise InvalidPurchaseError(str(exc), fields={"payer": str(exc)}) from None
