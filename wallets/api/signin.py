"""Sign-in endpoints: nonce, verify, token refresh, logout."""

import secrets
from typing import Any

from django.conf import settings
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chain.networks import default_network
from wallets.api.authentication import BrowserSessionAuthentication
from wallets.api.described import problems
from wallets.api.people import signed_in
from wallets.api.serializers import (
    ChallengeSerializer,
    NonceRequest,
    PairSerializer,
    RefreshRequest,
    SignedIn,
    SignedMessage,
    UserSerializer,
    VerifyRequest,
)
from wallets.api.throttles import limit_sign_in
from wallets.credentials import tokens
from wallets.errors import (
    AccountSuspendedError,
    InvalidAddressError,
    NotForProgramsError,
    ProofRequiredError,
    SignInError,
    SignInUnavailableError,
    TokenError,
    WalletNotLinkedError,
)
from wallets.models import TokenFamily
from wallets.signin import linked, sessions, siwe
from wallets.signin.addresses import checksummed
from wallets.signin.client_ip import client_ip
from wallets.signin.proof import record_wallet, require_proof

_BINDER_LENGTH = 43
_UNLINKED = WalletNotLinkedError("This wallet does not enter your account. Confirm with one that does.")
_SUSPENDED = AccountSuspendedError("This account is suspended. Write to the site's support to appeal.")
_ASKED = problems(
    SignInError.of("siwe_chain_not_allowed"),
    ProofRequiredError(),
    InvalidAddressError("This is not an Ethereum address."),
    SignInUnavailableError(),
)
_VERIFIED = problems(*SignInError.every(), _SUSPENDED, SignInUnavailableError())
_CONFIRMED = problems(*SignInError.every(), _UNLINKED, NotForProgramsError(), SignInUnavailableError())
_REFRESHED = problems(
    *(TokenError.of(code) for code in ("token_invalid", "token_expired", "token_revoked", "token_reused"))
)


def binder_cookie_name() -> str:
    """With the `__Host-` prefix browsers refuse this cookie from subdomains, so that none can plant a known binder."""
    return "__Host-siwe" if settings.SESSION_COOKIE_SECURE else "siwe"


def binder_of(request: Request, purpose: siwe.Purpose) -> str | None:
    """Whom a nonce belongs to: for sign-in this browser's cookie (None: no cookie), else the signed-in user."""
    if purpose is not siwe.Purpose.SIGN_IN:
        return f"user:{request.user.pk}"
    cookie = request.COOKIES.get(binder_cookie_name(), "")
    return f"browser:{cookie}" if len(cookie) == _BINDER_LENGTH else None


class NonceView(APIView):
    """Ask for a message to sign."""

    permission_classes = [AllowAny]

    @extend_schema(request=NonceRequest, responses={200: ChallengeSerializer, **_ASKED}, tags=["sign-in"])
    def post(self, request: Request) -> Response:
        body = NonceRequest(data=request.data)
        body.is_valid(raise_exception=True)
        address = checksummed(body.validated_data["address"])
        limit_sign_in(request, address)
        purpose = siwe.Purpose(body.validated_data["purpose"])
        if purpose is not siwe.Purpose.SIGN_IN and not request.user.is_authenticated:
            raise NotAuthenticated("Sign in before you link another wallet or confirm that it is you.")
        if purpose is siwe.Purpose.LINK:
            require_proof(request)
        binder, new_cookie = binder_of(request, purpose), None
        if binder is None:
            new_cookie = secrets.token_urlsafe(32)
            binder = f"browser:{new_cookie}"
        challenge = siwe.issue_nonce(
            address,
            body.validated_data.get("chain_id") or default_network().chain_id,
            binder,
            purpose=purpose,
            site=request.headers.get("Origin", ""),
        )
        response = Response(ChallengeSerializer(challenge).data, headers={"Cache-Control": "no-store"})
        if new_cookie is not None:
            response.set_cookie(
                binder_cookie_name(),
                new_cookie,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Strict",
            )
        get_token(request)  # has the CSRF cookie sent, which the verify call needs in session mode
        return response


class VerifyView(APIView):
    """Answer with the signed message: begins a browser session, or hands out a token pair."""

    permission_classes = [AllowAny]
    authentication_classes = []

    @extend_schema(request=VerifyRequest, responses={200: SignedIn, **_VERIFIED}, tags=["sign-in"])
    def post(self, request: Request) -> Response:
        body = VerifyRequest(data=request.data)
        body.is_valid(raise_exception=True)
        message, signature, mode = (body.validated_data[name] for name in ("message", "signature", "mode"))
        if mode == "session":
            # Without it, another site could sign this browser in as somebody else (login CSRF).
            BrowserSessionAuthentication().enforce_csrf(request)
        limit_sign_in(request)
        verified = siwe.verify(message, signature, binder_of(request, siwe.Purpose.SIGN_IN) or "")
        user = siwe.sign_in(verified)
        payload: dict[str, Any] = {}
        if mode == "session":
            sessions.begin(request._request, user, verified.address)  # noqa: SLF001  DRF's accessor to Django's request
        else:
            pair = tokens.issue(
                user,
                address=verified.address,
                ip=client_ip(request),
                user_agent=request.headers.get("User-Agent", ""),
            )
            payload = {"access": pair.access, "refresh": pair.refresh}
        return Response({**payload, "user": UserSerializer(user).data}, headers={"Cache-Control": "no-store"})


class ConfirmView(APIView):
    """Prove again, with a wallet of the account, that it is its owner who uses this session."""

    @extend_schema(request=SignedMessage, responses={204: None, **_CONFIRMED}, tags=["sign-in"])
    def post(self, request: Request) -> Response:
        """Send the message of a nonce with purpose `confirm`. Changes of credentials are then taken for five minutes.

        Programs sign in again instead: fresh tokens are a proof by themselves.
        """
        limit_sign_in(request)
        body = SignedMessage(data=request.data)
        body.is_valid(raise_exception=True)
        if isinstance(request.auth, TokenFamily):
            raise NotForProgramsError
        user = signed_in(request)
        binder = binder_of(request, siwe.Purpose.CONFIRM) or ""
        verified = siwe.verify(
            body.validated_data["message"], body.validated_data["signature"], binder, purpose=siwe.Purpose.CONFIRM
        )
        linked.confirm(user, verified)
        record_wallet(request._request, user, verified.address)  # noqa: SLF001  DRF's accessor to Django's request
        return Response(status=status.HTTP_204_NO_CONTENT)


class RefreshView(APIView):
    """Exchange the refresh token for a new pair. Using one twice revokes all tokens of that sign-in."""

    permission_classes = [AllowAny]
    authentication_classes = []

    @extend_schema(request=RefreshRequest, responses={200: PairSerializer, **_REFRESHED}, tags=["sign-in"])
    def post(self, request: Request) -> Response:
        limit_sign_in(request)
        body = RefreshRequest(data=request.data)
        body.is_valid(raise_exception=True)
        pair = tokens.rotate(body.validated_data["refresh"])
        return Response(PairSerializer(pair).data, headers={"Cache-Control": "no-store"})


class LogoutView(APIView):
    """End the session, or revoke the token pair, this request came with; its sockets close."""

    @extend_schema(request=None, responses={204: None}, tags=["sign-in"])
    def post(self, request: Request) -> Response:
        if isinstance(request.auth, TokenFamily):
            tokens.revoke(request.auth)
        else:
            sessions.end(request._request)  # noqa: SLF001  as above
        return Response(status=status.HTTP_204_NO_CONTENT)
