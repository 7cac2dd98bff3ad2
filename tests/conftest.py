"""Fixtures that every test may use."""

pytest_plugins = ["tests.account_fixtures", "tests.chain_fixtures", "tests.bundler_fixtures", "tests.pages"]
