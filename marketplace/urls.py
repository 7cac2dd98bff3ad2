"""Page routes."""

from django.urls import URLPattern, path

from marketplace import views
from marketplace.payouts import views as payouts
from marketplace.purchases import views as purchases
from marketplace.vault import views as vault

app_name = "marketplace"
urlpatterns: list[URLPattern] = [
    path("", views.catalogue, name="catalogue"),
    path("studio/", views.studio, name="studio"),
    path("agents/new/", views.agent_new, name="agent-new"),
    path("agents/<slug:slug>/", views.agent, name="agent"),
    path("agents/<slug:slug>/buy/", views.buy, name="buy"),
    path("agents/<slug:slug>/edit/", views.agent_edit, name="agent-edit"),
    path("agents/<slug:slug>/publish/", views.publish, name="agent-publish"),
    path("agents/<slug:slug>/archive/", views.archive, name="agent-archive"),
    path("agents/<slug:slug>/versions/new/", views.version_new, name="version-new"),
    path("agents/<slug:slug>/versions/<str:number>/check/", views.check_again, name="version-check"),
    path("agents/<slug:slug>/versions/<str:number>/withdraw/", views.withdraw, name="version-withdraw"),
    path("agents/<slug:slug>/secrets/", vault.secrets, name="agent-secrets"),
    path("agents/<slug:slug>/secrets/<str:name>/delete/", vault.secret_delete, name="agent-secret-delete"),
    path("studio/registries/", vault.registries, name="registries"),
    path("studio/registries/<str:registry>/delete/", vault.registry_delete, name="registry-delete"),
    path("studio/sales/", payouts.sales, name="sales"),
    path("studio/sales/money/", payouts.money, name="sales-money"),
    path("purchases/<uuid:pk>/", purchases.purchase, name="purchase"),
    path("purchases/<uuid:pk>/progress/", purchases.progress, name="purchase-progress"),
]
