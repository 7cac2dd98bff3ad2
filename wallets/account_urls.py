"""Routes of e-mail accounts, passkeys and codes: allauth's, with the few we replace put before them."""

from django.urls import URLPattern, URLResolver, include, path

from wallets.signin import second_factor

urlpatterns: list[URLPattern | URLResolver] = [
    path("2fa/totp/activate/", second_factor.ActivateCodes.as_view(), name="mfa_activate_totp"),
    path("2fa/webauthn/add/", second_factor.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("", include("allauth.urls")),
]
