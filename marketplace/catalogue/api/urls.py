"""API routes of the catalogue."""

from django.urls import URLPattern, path

from marketplace.catalogue.api import views

urlpatterns: list[URLPattern] = [
    path("categories", views.CategoryList.as_view(), name="api-categories"),
    path("agents", views.AgentList.as_view(), name="api-agents"),
    path("agents/<slug:slug>", views.AgentDetail.as_view(), name="api-agent"),
    path("agents/<slug:slug>/publish", views.AgentPublish.as_view(), name="api-agent-publish"),
    path("agents/<slug:slug>/archive", views.AgentArchive.as_view(), name="api-agent-archive"),
    path("agents/<slug:slug>/versions", views.VersionList.as_view(), name="api-versions"),
    path("modules", views.ModuleUpload.as_view(), name="api-modules"),
    path("agents/<slug:slug>/versions/<str:number>/check", views.VersionCheck.as_view(), name="api-version-check"),
    path(
        "agents/<slug:slug>/versions/<str:number>/withdraw",
        views.VersionWithdraw.as_view(),
        name="api-version-withdraw",
    ),
]
