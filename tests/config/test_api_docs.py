"""The API's reference page works under the site's strict policy."""

import re

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_the_reference_has_no_inline_script_or_style(client: Client) -> None:
    response = client.get(reverse("api-docs"))
    content = response.content.decode()
    assert response.status_code == 200
    assert 'id="swagger-ui"' in content
    assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", content)
    assert "<style" not in content


def test_its_script_comes_from_an_address_of_its_own(client: Client) -> None:
    response = client.get(reverse("api-docs"), {"script": ""})
    assert response["Content-Type"].startswith("application/javascript")
    assert "/api/schema/" in response.content.decode()
