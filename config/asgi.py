"""ASGI entry: HTTP to Django, WebSockets to the apps' consumers behind an Origin check and authentication."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
http = get_asgi_application()

from config.body_limit import BodyLimit  # noqa: E402  apps must be ready first
from executions.routing import websocket_urlpatterns as execution_sockets  # noqa: E402
from marketplace.routing import websocket_urlpatterns as marketplace_sockets  # noqa: E402
from wallets.signin.websocket import JwtOrSessionAuthMiddleware, SocketOriginValidator  # noqa: E402

application = ProtocolTypeRouter(
    {
        # The largest file or module, and the form around it.
        "http": BodyLimit(http, max(settings.FILE_BYTES, settings.MODULE_BYTES) + 64 * 1024),
        "websocket": SocketOriginValidator(
            JwtOrSessionAuthMiddleware(URLRouter([*execution_sockets, *marketplace_sockets])),
            settings.WEBSOCKET_ORIGINS,
        ),
    }
)
