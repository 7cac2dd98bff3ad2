"""Page routes."""

from django.urls import URLPattern, path

from executions import views

app_name = "executions"
urlpatterns: list[URLPattern] = [
    path("agents/<slug:slug>/run/", views.run, name="run"),
    path("executions/form-preview/", views.form_preview, name="form-preview"),
    path("executions/", views.execution_list, name="list"),
    path("executions/<uuid:pk>/", views.execution_detail, name="detail"),
    path("executions/<uuid:pk>/result/", views.execution_result, name="result"),
]
