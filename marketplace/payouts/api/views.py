"""A creator's sales, balances and payouts over HTTP."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.api.parsers import BodyParser
from marketplace.api.problems import problems
from marketplace.api.throttles import BrowseThrottle, SettleThrottle
from marketplace.catalogue.api.views import signed_in
from marketplace.models import Purchase
from marketplace.payouts.api.serializers import PayoutsSerializer, WithdrawingSerializer, WithdrawSerializer
from marketplace.payouts.balances import balances, payouts, withdraw_call
from marketplace.purchases.api.serializers import PurchaseSerializer


@extend_schema(tags=["payouts"])
@extend_schema_view(get=extend_schema(operation_id="sales_list", description="What was bought of you, newest first."))
class SaleList(ListAPIView[Purchase]):
    serializer_class = PurchaseSerializer
    queryset = Purchase.objects.none()
    filter_backends = ()
    throttle_classes = [BrowseThrottle]

    def get_queryset(self) -> QuerySet[Purchase]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        mine = Purchase.objects.filter(agent__creator=signed_in(self.request), deposited_at__isnull=False)
        return mine.select_related("agent")


@extend_schema(tags=["payouts"])
class PayoutsView(APIView):
    throttle_classes = [BrowseThrottle]

    @extend_schema(operation_id="payouts_read", responses={200: PayoutsSerializer})
    def get(self, request: Request) -> Response:
        """What your wallets can withdraw in each token, and what was paid out to them."""
        accounts = signed_in(request).addresses()
        return Response(PayoutsSerializer({"balances": balances(accounts), "payouts": payouts(accounts)}).data)


@extend_schema(tags=["payouts"])
class WithdrawView(APIView):
    throttle_classes = [SettleThrottle]
    parser_classes = [BodyParser]

    @extend_schema(
        operation_id="payouts_withdraw",
        request=WithdrawSerializer,
        responses={
            200: WithdrawingSerializer,
            **problems(
                _403="Not one of your wallets.",
                _404="No such network.",
                _409="Nothing to withdraw.",
                _422="No such token.",
                _503="The chain cannot be reached.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """The transaction that pays a wallet's whole credit in a token out to it."""
        values = WithdrawSerializer(data=request.data)
        values.is_valid(raise_exception=True)
        asked = values.validated_data
        call = withdraw_call(signed_in(request), asked["network"], asked["token"], asked["account"])
        return Response({"transactions": [{"kind": "withdraw", **call.as_json()}]})
