"""Page routes."""

from django.urls import URLPattern, path, register_converter

from chain.forms import parse_address
from wallets import views
from wallets.credentials import views as credentials


class AddressConverter:
    """An address in a path, checksummed in Python."""

    regex = "0x[0-9a-fA-F]{40}"

    def to_python(self, value: str) -> str:
        return parse_address(value)

    def to_url(self, value: str) -> str:
        return value


register_converter(AddressConverter, "address")

app_name = "wallets"
urlpatterns: list[URLPattern] = [
    path("profile/", views.profile, name="profile"),
    path("profile/wallets/<address:address>/unlink/", views.unlink, name="unlink"),
    path("profile/wallets/<address:address>/primary/", views.make_primary, name="make-primary"),
    path("profile/confirm/", views.confirm, name="confirm"),
    path("profile/second-factor/", views.second_factor, name="second-factor"),
    path("profile/security/", credentials.security, name="security"),
    path("profile/security/keys/", credentials.create_key, name="key-create"),
    path("profile/security/keys/<uuid:key_id>/rotate/", credentials.rotate_key, name="key-rotate"),
    path("profile/security/keys/<uuid:key_id>/revoke/", credentials.revoke_key, name="key-revoke"),
    path("profile/security/sessions/end/", credentials.end_other_sessions, name="sessions-end"),
    path("profile/security/sessions/<uuid:place_id>/end/", credentials.end_session, name="session-end"),
    path("profile/security/close/", credentials.close, name="close"),
    path("sign-out/", views.sign_out, name="sign-out"),
]
