"""API routes of the vault."""

from django.urls import URLPattern, path

from marketplace.vault.api import views

urlpatterns: list[URLPattern] = [
    path("agents/<slug:slug>/secrets", views.SecretList.as_view(), name="api-secrets"),
    path("agents/<slug:slug>/secrets/<str:name>", views.SecretDetail.as_view(), name="api-secret"),
    path("registry-credentials", views.CredentialList.as_view(), name="api-registry-credentials"),
    path("registry-credentials/<str:registry>", views.CredentialDetail.as_view(), name="api-registry-credential"),
]
