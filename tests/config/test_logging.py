"""What is written to the log, and what is not."""

import logging

import pytest
import structlog
from django.test import Client
from django.urls import reverse


@pytest.mark.django_db
def test_a_request_is_told_of_once_and_without_what_opens_a_file(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client.get(reverse("executions:signed-file", args=["eyJmaWxlIjoi:secret"]))
    told = [record.getMessage() for record in caplog.records if "/files/signed/" in record.getMessage()]
    assert len(told) == 1
    assert "request_finished" in told[0]
    assert "secret" not in told[0]


def test_an_event_without_a_request_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        structlog.get_logger("test").info("something_happened", count=3)
    assert "'count': 3" in caplog.text
