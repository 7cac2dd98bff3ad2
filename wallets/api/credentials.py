"""Where the user is signed in, and the user's API keys."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets.api.described import problems
from wallets.api.people import signed_in
from wallets.api.serializers import ApiKeySerializer, NewApiKeySerializer, SessionSerializer
from wallets.credentials import api_keys, places
from wallets.errors import ApiKeyError, ApiKeyLimitError, ApiKeyNotFoundError, ProofRequiredError, SessionNotFoundError
from wallets.models import TokenFamily
from wallets.signin.proof import require_proof

_MADE = problems(ProofRequiredError(), ApiKeyLimitError("You have 20 API keys already. Revoke one you no longer need."))
_ROTATED = problems(
    ProofRequiredError(),
    ApiKeyNotFoundError(),
    *(ApiKeyError.of(code, 409) for code in ("api_key_rotated", "api_key_revoked", "api_key_expired")),
)


class SessionsView(APIView):
    """Everywhere the user is signed in."""

    @extend_schema(responses=SessionSerializer(many=True), tags=["account"])
    def get(self, request: Request) -> Response:
        found = places.of(signed_in(request), session_key=_current_key(request), family=_family(request))
        return Response(SessionSerializer(found, many=True).data)

    @extend_schema(operation_id="v1_sessions_destroy_others", responses={204: None}, tags=["account"])
    def delete(self, request: Request) -> Response:
        """Sign out everywhere but here."""
        places.end_others(signed_in(request), session_key=_current_key(request), family=_family(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionView(APIView):
    """One place where the user is signed in."""

    @extend_schema(responses={204: None, **problems(SessionNotFoundError())}, tags=["account"])
    def delete(self, request: Request, session_id: UUID) -> Response:
        """Sign out there; its requests are refused and its sockets closed at once."""
        places.end(signed_in(request), session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ApiKeysView(APIView):
    """The user's API keys."""

    @extend_schema(responses=ApiKeySerializer(many=True), tags=["API keys"])
    def get(self, request: Request) -> Response:
        return Response(ApiKeySerializer(signed_in(request).api_keys.order_by("-pk"), many=True).data)

    @extend_schema(request=ApiKeySerializer, responses={201: NewApiKeySerializer, **_MADE}, tags=["API keys"])
    def post(self, request: Request) -> Response:
        """Make a key. Its text is in this answer and nowhere else. Only within five minutes of a sign-in."""
        require_proof(request)
        body = ApiKeySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = api_keys.create(
            signed_in(request),
            body.validated_data["name"],
            body.validated_data["scopes"],
            body.validated_data.get("expires_at"),
        )
        return _shown_once(made)


class ApiKeyView(APIView):
    """One API key."""

    @extend_schema(responses={204: None, **problems(ApiKeyNotFoundError())}, tags=["API keys"])
    def delete(self, request: Request, key_id: UUID) -> Response:
        """Revoke it at once."""
        api_keys.revoke(signed_in(request), key_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ApiKeyRotateView(APIView):
    """A successor for a key."""

    @extend_schema(request=None, responses={201: NewApiKeySerializer, **_ROTATED}, tags=["API keys"])
    def post(self, request: Request, key_id: UUID) -> Response:
        """Same name, scopes and expiry under a new text; the old one works for another 24 hours.

        As for a new key, only within five minutes of a sign-in.
        """
        require_proof(request)
        return _shown_once(api_keys.rotate(signed_in(request), key_id))


def _shown_once(made: api_keys.NewKey) -> Response:
    body = {**ApiKeySerializer(made.key).data, "key": made.text}
    return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


def _current_key(request: Request) -> str | None:
    """The browser session this request came with; None for a program."""
    return None if isinstance(request.auth, TokenFamily) else request.session.session_key


def _family(request: Request) -> TokenFamily | None:
    """The tokens this request came with; None for a browser."""
    return request.auth if isinstance(request.auth, TokenFamily) else None
