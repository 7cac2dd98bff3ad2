"""Fixtures that every test may use."""

import pytest

pytest_plugins = ["tests.account_fixtures", "tests.chain_fixtures", "tests.bundler_fixtures", "tests.pages"]
ON_A_CHAIN = {"contracts", "anvil"}


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & ON_A_CHAIN:
            item.add_marker(pytest.mark.chain)
        commits = any(mark.kwargs.get("transaction") for mark in item.iter_markers("django_db"))
        if commits or "transactional_db" in fixtures:
            item.add_marker(pytest.mark.slow)  # every table is emptied afterwards
        if "bundler" in fixtures:
            item.add_marker(pytest.mark.xdist_group("bundler"))  # one worker starts it
