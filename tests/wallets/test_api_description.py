"""The API's description of identity: every route shows an example, and its errors by code."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.account_fixtures import ApiFor
from wallets.api.examples import MESSAGE, SIGNATURE
from wallets.errors import SignInError
from wallets.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def paths() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(public=True)["paths"]  # type: ignore[no-untyped-call]
    return found


def codes(operation: dict[str, Any]) -> set[str]:
    return {
        example["value"]["code"]
        for response in operation["responses"].values()
        for name, content in response.get("content", {}).items()
        if name == "application/problem+json"
        for example in content["examples"].values()
    }


def test_signing_in_names_every_code(paths: dict[str, Any]) -> None:
    verify = paths["/api/v1/auth/siwe/verify"]["post"]
    assert {error.code for error in SignInError.every()} | {"account_suspended", "sign_in_unavailable"} == codes(verify)
    assert codes(paths["/api/v1/auth/token/refresh"]["post"]) == {
        *("token_invalid", "token_expired", "token_revoked", "token_reused"),
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("post", "/api/v1/auth/siwe/nonce"), ("post", "/api/v1/auth/siwe/verify"), ("get", "/api/v1/me")),
        *(("get", "/api/v1/wallets"), ("post", "/api/v1/api-keys"), ("post", "/api/v1/auth/token/refresh")),
        *(("get", "/api/v1/smart-accounts"), ("post", "/api/v1/smart-accounts")),
        ("post", "/api/v1/user-operations"),
    ],
)
def test_there_is_an_example(method: str, path: str, paths: dict[str, Any]) -> None:
    operation = paths[path][method]
    answers = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    bodies = [operation.get("requestBody", {}), answers]
    assert any("examples" in content for body in bodies for content in body.get("content", {}).values())


def test_the_examples_have_the_form_that_the_api_takes(api: ApiFor, user: User) -> None:
    answer = api(None).post("/api/v1/auth/siwe/verify", {"message": MESSAGE, "signature": SIGNATURE, "mode": "token"})
    assert (answer.status_code, answer.json()["code"]) == (401, "siwe_domain_mismatch")
