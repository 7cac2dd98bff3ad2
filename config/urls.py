"""URL routing: pages, API, admin, health."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from chain.api.urls import urlpatterns as chain_api
from config import health
from config.metrics import metrics
from config.views import favicon
from executions.api.urls import urlpatterns as executions_api
from marketplace.api.urls import urlpatterns as marketplace_api
from wallets.account_urls import urlpatterns as account_pages
from wallets.api.urls import urlpatterns as wallets_api

urlpatterns = [
    path("", include("marketplace.urls")),
    path("", include("executions.urls")),
    path("", include("wallets.urls")),
    path("api/v1/", include([*chain_api, *wallets_api, *marketplace_api, *executions_api])),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    # The split view has no inline script, which the content security policy would refuse.
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="api_docs.html"),
        name="api-docs",
    ),
    path("accounts/", include(account_pages)),
    path("admin/", admin.site.urls),
    # Browsers ask for it on pages that name no icon of their own.
    path("favicon.ico", favicon, name="favicon"),
    path("healthz", health.live, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("readyz", health.ready, name="readyz"),
]
if settings.DEMO_WALLET:
    urlpatterns.append(path("demo-wallet/", include("wallets.demo_wallet.urls")))

handler400 = "config.views.bad_request"
handler403 = "config.views.forbidden"
handler404 = "config.views.not_found"
handler429 = "config.views.too_many_requests"
handler500 = "config.views.server_error"
