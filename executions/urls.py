"""Page routes."""

from django.urls import URLPattern, path

from executions import views
from executions.files import views as files

app_name = "executions"
urlpatterns: list[URLPattern] = [
    path("agents/<slug:slug>/run/", views.run, name="run"),
    path("executions/form-preview/", views.form_preview, name="form-preview"),
    path("files/<uuid:pk>/", files.file, name="file"),
    path("files/signed/<str:token>/", files.signed_file, name="signed-file"),
    path("executions/", views.execution_list, name="list"),
    path("executions/<uuid:pk>/", views.execution_detail, name="detail"),
    path("executions/<uuid:pk>/result/", views.execution_result, name="result"),
    path("executions/<uuid:pk>/table.csv", views.execution_table, name="table"),
]
