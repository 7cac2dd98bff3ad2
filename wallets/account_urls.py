"""Routes of e-mail accounts, passkeys and codes: allauth's, with the few we replace put before them."""

from allauth.account.views import email, password_set
from django.urls import URLPattern, URLResolver, include, path

from wallets.signin import second_factor
from wallets.signin.proof import proof_required

urlpatterns: list[URLPattern | URLResolver] = [
    path("2fa/totp/activate/", proof_required(second_factor.ActivateCodes.as_view()), name="mfa_activate_totp"),
    path("2fa/webauthn/add/", proof_required(second_factor.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path("email/", proof_required(email), name="account_email"),
    path("password/set/", proof_required(password_set), name="account_set_password"),
    path("", include("allauth.urls")),
]
