"""Sign-ins a second, by key and by account contract: `python -m tests.bench.bench_wallets [SIGN_INS]`.

Each is the whole journey through the API in one process: nonce, verify, user, session. The baseline is the least that
could do: the siwe library checks the same message and signature, and one session is saved. Then user operations.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.engines import Anvil, Postgres, Valkey, free_port
from tests.bench import user_operations

# A sign-in should not cost more than this many times the baseline.
GOAL_RATIO = 6.0


def main(count: int) -> None:
    """Start engines of its own, measure, print, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="agentnexus-bench-"))
    folder.chmod(0o755)
    anvil = Anvil(folder)
    engines = [Postgres(folder), Valkey(folder), anvil]
    bundler_port = free_port()
    try:
        for engine in engines:
            engine.start()
        os.environ |= {
            "DATABASE_URL": engines[0].url,
            "REDIS_URL": engines[1].url,
            "CHAIN_RPC_URL": engines[2].url,
            "BUNDLER_URLS": f"http://127.0.0.1:{bundler_port}/rpc",
            "LOG_LEVEL": "ERROR",
        }
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
        import django
        from django.core.management import call_command
        from django.test.utils import setup_test_environment

        django.setup()
        setup_test_environment()
        call_command("migrate", verbosity=0)
        _measure(count)
        user_operations.measure(folder, anvil, bundler_port)
        from django.db import connections

        connections.close_all()
    finally:
        for engine in reversed(engines):
            engine.stop()


def _measure(count: int) -> None:
    from django.contrib.sessions.backends.cached_db import SessionStore
    from eth_account import Account
    from siwe import SiweMessage

    from chain.networks import default_network
    from chain.rpc import pool_of
    from tests.account_fixtures import sign_siwe
    from tests.wallets.sign_in import Browser
    from tests.wallets.test_smart_account_signin import account_code
    from wallets.signin.message import Site, compose
    from wallets.signin.siwe import Purpose

    owner, contract = Account.create(), Account.create().address
    pool_of(default_network()).call("anvil_setCode", contract, "0x" + account_code(owner.address))

    def baseline() -> None:
        from datetime import UTC, datetime, timedelta

        text = compose(
            site=Site.of("http://localhost:8000"),
            address=owner.address,
            statement=Purpose.SIGN_IN.statement,
            chain_id=31337,
            nonce="a" * 32,
            now=datetime.now(UTC),
            lifetime=timedelta(minutes=5),
        )
        SiweMessage.from_message(text).verify(sign_siwe(owner, text), domain="localhost:8000", nonce="a" * 32)
        session = SessionStore()
        session["user"] = owner.address
        session.save()

    def by_key() -> None:
        Browser(owner).sign_in()

    def by_contract() -> None:
        browser = Browser(owner)
        assert browser.answer(browser.ask(address=contract)).status_code == 200

    bare = _per_second(baseline, count)
    for name, sign_in in (("sign_in_by_key", by_key), ("sign_in_by_contract", by_contract)):
        rate = _per_second(sign_in, count)
        ratio = bare / rate
        print(  # noqa: T201  a benchmark's output
            f"figure {name} {rate:.1f} per_second baseline {bare:.1f} ratio {ratio:.2f} "
            f"goal {GOAL_RATIO} {'ok' if ratio <= GOAL_RATIO else 'short'}"
        )


def _per_second(work: Callable[[], None], count: int) -> float:
    work()  # what is made once (connections, parsers, the user) is not the subject
    started = time.perf_counter()
    for _ in range(count):
        work()
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
