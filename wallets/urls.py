"""Page routes."""

from django.urls import URLPattern, path, register_converter

from chain.forms import parse_address
from wallets import views


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
    path("sign-out/", views.sign_out, name="sign-out"),
]
