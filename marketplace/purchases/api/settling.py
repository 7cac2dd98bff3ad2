"""Settling a payment over HTTP: the transactions to sign, the texts of a dispute, and the story so far."""

from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.api.parsers import BodyParser
from marketplace.api.problems import problems
from marketplace.api.throttles import BrowseThrottle, QuoteThrottle, SettleThrottle
from marketplace.catalogue.api.views import signed_in
from marketplace.disputes.statements import answer, open_dispute
from marketplace.models import Purchase
from marketplace.purchases.api.serializers import (
    DisputingSerializer,
    ReasonSerializer,
    SettlingSerializer,
    SignatureSerializer,
    StatementSerializer,
    StepSerializer,
    TextSerializer,
    TimelineSerializer,
)
from marketplace.purchases.authorizations import authorized_deposit
from marketplace.purchases.parties import Party, party_of, visible_to
from marketplace.purchases.settling import Action, SignableCall, allowed, call_for
from marketplace.purchases.timeline import timeline

REFUSALS = problems(
    _403="Not the party whose action this is.",
    _404="No such purchase of yours.",
    _409="The purchase is not in a state that allows it; the sentence says why.",
    _429="Too many requests.",
)


def _purchase(request: Request, purchase_id: Any) -> tuple[Purchase, Party | None]:
    """The purchase and the reader's part in it; for strangers it does not exist."""
    user = signed_in(request)
    purchase = get_object_or_404(visible_to(user).select_related("agent"), pk=purchase_id)
    return purchase, party_of(user, purchase)


def _signing(call: SignableCall) -> dict[str, Any]:
    return {"signer": call.signer, "transactions": [call.as_json()]}


class _SettlingView(APIView):
    throttle_classes = [SettleThrottle]
    parser_classes = [BodyParser]
    action: ClassVar[Action]

    def _answer(self, request: Request, purchase_id: Any) -> Response:
        purchase, party = _purchase(request, purchase_id)
        return Response(_signing(call_for(purchase, party, self.action)))


@extend_schema(tags=["purchases"])
class ReleaseView(_SettlingView):
    action = Action.RELEASE

    @extend_schema(operation_id="purchases_release", request=None, responses={200: SettlingSerializer, **REFUSALS})
    def post(self, request: Request, purchase_id: Any) -> Response:
        """For the buyer: the transaction that pays the creator now instead of after the dispute window."""
        return self._answer(request, purchase_id)


@extend_schema(tags=["purchases"])
class RefundView(_SettlingView):
    action = Action.REFUND

    @extend_schema(operation_id="purchases_refund", request=None, responses={200: SettlingSerializer, **REFUSALS})
    def post(self, request: Request, purchase_id: Any) -> Response:
        """For the creator: the transaction that gives the whole amount back. The access it paid for ends."""
        return self._answer(request, purchase_id)


@extend_schema(tags=["purchases"])
class WithdrawView(_SettlingView):
    action = Action.WITHDRAW

    @extend_schema(operation_id="purchases_withdraw", request=None, responses={200: SettlingSerializer, **REFUSALS})
    def post(self, request: Request, purchase_id: Any) -> Response:
        """For the buyer: the transaction that pays a refund out. The platform sends it by itself, too."""
        return self._answer(request, purchase_id)


@extend_schema(tags=["purchases"])
class DisputeView(_SettlingView):
    @extend_schema(
        operation_id="purchases_dispute",
        request=ReasonSerializer,
        responses={200: DisputingSerializer, **REFUSALS, **problems(_422="The reason is refused.")},
    )
    def post(self, request: Request, purchase_id: Any) -> Response:
        """For the buyer: keep the reason, and get the transaction that opens the dispute with its keccak-256 hash.

        Only the buyer, the creator and staff read the reason."""
        values = ReasonSerializer(data=request.data)
        values.is_valid(raise_exception=True)
        purchase, party = _purchase(request, purchase_id)
        statement, call = open_dispute(purchase, signed_in(request), party, values.validated_data["reason"])
        return Response({"statement": StatementSerializer(statement).data, **_signing(call)})


@extend_schema(tags=["purchases"])
class AnswerView(_SettlingView):
    @extend_schema(
        operation_id="purchases_answer",
        request=TextSerializer,
        responses={201: StatementSerializer, **REFUSALS, **problems(_422="The text is refused.")},
    )
    def post(self, request: Request, purchase_id: Any) -> Response:
        """For the creator, and for the buyer who has to add something: a statement in an open dispute."""
        values = TextSerializer(data=request.data)
        values.is_valid(raise_exception=True)
        purchase, party = _purchase(request, purchase_id)
        kept = answer(purchase, signed_in(request), party, values.validated_data["text"])
        return Response(StatementSerializer(kept).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["purchases"])
class TimelineView(APIView):
    throttle_classes = [BrowseThrottle]

    @extend_schema(
        operation_id="purchases_timeline",
        responses={200: TimelineSerializer, **problems(_404="No such purchase of yours.")},
    )
    def get(self, request: Request, purchase_id: Any) -> Response:
        """The story of the payment, for its buyer, its creator and staff, and what the reader may do about it."""
        purchase, party = _purchase(request, purchase_id)
        story = {"party": party, "actions": allowed(purchase, party), "entries": timeline(purchase)}
        return Response(TimelineSerializer(story).data)


class AuthorizedSerializer(serializers.Serializer[Any]):
    """The one transaction that pays."""

    transactions = StepSerializer(many=True)


@extend_schema(tags=["purchases"])
class AuthorizationView(APIView):
    throttle_classes = [QuoteThrottle]
    parser_classes = [BodyParser]

    @extend_schema(
        operation_id="purchases_authorization",
        request=SignatureSerializer,
        responses={
            200: AuthorizedSerializer,
            **problems(
                _404="No such purchase of yours.",
                _409="Paid already, or the quote ran out.",
                _422="Not the payer's signature, or `insufficient_balance`.",
                _503="The chain cannot be reached; nothing happened.",
            ),
        },
    )
    def post(self, request: Request, purchase_id: Any) -> Response:
        """Hand in the signature of the purchase's `authorization`, and get the transaction that pays with it."""
        values = SignatureSerializer(data=request.data)
        values.is_valid(raise_exception=True)
        mine = Purchase.objects.filter(buyer=signed_in(request)).select_related("agent")
        purchase = get_object_or_404(mine, pk=purchase_id)
        step = authorized_deposit(purchase, values.validated_data["payer"], values.validated_data["signature"])
        return Response({"transactions": [step.as_json()]})
