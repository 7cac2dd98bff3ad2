"""Page routes."""

from django.urls import URLPattern, path

from marketplace import views

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
    path("agents/<slug:slug>/versions/<str:number>/withdraw/", views.withdraw, name="version-withdraw"),
    path("purchases/<uuid:pk>/", views.purchase, name="purchase"),
]
