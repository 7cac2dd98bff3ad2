"""`make chain-scenarios`: the listener and the outbox through many storms, and killed at every step, with a count.

What it runs is tests/chain/test_scenarios.py and tests/chain/test_crash.py at full length; how long is in the
environment: CHAIN_SCENARIOS storms, and a kill at every CHAIN_CRASH_STRIDE-th step.
"""

import os
import time
from collections import Counter

import pytest

LENGTH = {"CHAIN_SCENARIOS": "500", "CHAIN_CRASH_STRIDE": "1"}
FILES = ("tests/chain/test_scenarios.py", "tests/chain/test_crash.py")


class Tally:
    """What held and what did not, by test."""

    def __init__(self) -> None:
        self.held: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.failures: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test; anything but passing, skipping too, counts as not held."""
        if report.when != "call" and report.passed:
            return
        name = report.nodeid.rsplit("::", 1)[-1].split("[")[0]
        if report.passed:
            self.held[name] += 1
        else:
            self.failed[name] += 1
            self.failures.append(report.nodeid)


def main() -> int:
    """0 when everything held."""
    for name, value in LENGTH.items():
        os.environ.setdefault(name, value)
    # Every step of a crash test starts a process; a minute is for the short form.
    arguments = [*FILES, "-q", "--no-header", "--timeout", "3600", "-p", "no:cacheprovider"]
    began, tally = time.monotonic(), Tally()
    code = int(pytest.main(arguments, plugins=[tally]))
    print(f"\n{'scenario':<84} {'held':>6} {'not':>6}")
    for name in sorted({*tally.held, *tally.failed}):
        print(f"{name:<84} {tally.held[name]:>6} {tally.failed[name]:>6}")
    for nodeid in tally.failures:
        print(f"NOT HELD: {nodeid}")
    total, failed = tally.held.total(), tally.failed.total()
    print(f"{total} held, {failed} did not, in {time.monotonic() - began:.0f} s.")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
