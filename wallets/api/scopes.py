"""Which scope of an API key each route needs, as the site has wired it in settings.API_KEY_ROUTES."""

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from wallets.models import ApiKey

# By URL name, then by method. A route or method that is missing takes no API key at all.
Routes = dict[str, dict[str, str]]
# For what every key may do.
ANY = "any"


def require_scope(key: ApiKey, request: Request) -> None:
    """Raise PermissionDenied (`scope_missing`) unless the key's scopes cover this route and method."""
    needed = scope_of(request)
    if needed is None:
        raise PermissionDenied("API keys cannot do this. Sign in instead.", code="scope_missing")
    if needed != ANY and needed not in key.scopes:
        raise PermissionDenied(f"This API key lacks the scope {needed}.", code="scope_missing")


def scope_of(request: Request) -> str | None:
    """The scope for this route and method, ANY, or None when no key may use it."""
    match = request.resolver_match
    routes: Routes = import_string(settings.API_KEY_ROUTES)
    method = "GET" if request.method == "HEAD" else str(request.method)
    return routes.get(match.url_name or "", {}).get(method) if match else None
