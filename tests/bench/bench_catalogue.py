"""How long a page of the catalogue takes with 10,000 agents: `python -m tests.bench.bench_catalogue [AGENTS]`.

Each figure is the 95th percentile, in milliseconds, of one page of 20 agents with everything a list shows. The baseline
is what one would write without a search engine: ILIKE over name, tagline and description, newest first, same page.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.local.engines import Postgres

PAGE = 20
ROUNDS = 20
GOAL_MS = 60.0
# Words that the cases look for; they take places among made-up ones whose frequencies fall as in a language (Zipf).
KNOWN = ("invoice", "contract", "audit", "summary", "forecast", "budget", "tax", "report", "ledger")
VOCABULARY = 6_000


@dataclass(frozen=True, slots=True)
class Case:
    """One way of asking, and the words the baseline looks for."""

    name: str
    ask: dict[str, str]
    baseline: str


CASES = (
    Case("newest", {}, ""),
    Case("one_word", {"query": "invoice"}, "invoice"),
    Case("three_words", {"query": "contract audit summary"}, "contract audit summary"),
    Case("prefix", {"query": "forec"}, "forec"),
    Case("typing_error", {"query": "summarry"}, "summary"),
    Case("excluded_word", {"query": "budget -tax"}, "budget"),
    Case("nothing_found", {"query": "zyzzyva quokka"}, "zyzzyva quokka"),
    Case("category", {"query": "report", "category": "finance"}, "report"),
    Case("popular", {"ordering": "popular"}, ""),
    Case("cheapest", {"query": "ledger", "ordering": "price"}, "ledger"),
)


def main(count: int) -> None:
    """Fill a database of its own, measure, print, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="agentnexus-bench-"))
    folder.chmod(0o755)
    postgres = Postgres(folder)
    postgres.start()
    try:
        os.environ["DATABASE_URL"] = postgres.url
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
        import django

        django.setup()
        _fill(count)
        _measure()
        from django.db import connections

        connections.close_all()
    finally:
        postgres.stop()


def _fill(count: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from marketplace.models import Agent, AgentPrice, AgentVersion, Category
    from tests.factories.marketplace import INPUT_SCHEMA, NATIVE, OUTPUT_SCHEMA, image_of
    from wallets.models import LinkedWallet, User

    call_command("migrate", verbosity=0)
    choose = random.Random(7)
    creators = [User.objects.create_user(display_name=f"Creator {number}") for number in range(50)]
    for number, creator in enumerate(creators):
        LinkedWallet.objects.create(user=creator, address=f"0x{number + 1:040x}", is_primary=True)
    categories = list(Category.objects.all())
    start = datetime(2026, 1, 1, tzinfo=UTC)

    vocabulary = _vocabulary(choose)
    weights = [1 / (rank + 10) for rank in range(VOCABULARY)]

    def words(least: int, most: int) -> str:
        return " ".join(choose.choices(vocabulary, weights, k=choose.randint(least, most)))

    agents = [
        Agent(
            slug=f"agent-{number}",
            creator=choose.choice(creators),
            name=words(2, 3).title(),
            tagline=words(6, 10).capitalize(),
            description=". ".join(words(8, 14).capitalize() for _ in range(choose.randint(5, 20))),
            category=choose.choice(categories),
            status=Agent.Status.PUBLISHED,
            network="local",
            published_at=start + timedelta(seconds=choose.randint(0, 20_000_000)),
            purchase_count=int(choose.paretovariate(1)) - 1,
        )
        for number in range(count)
    ]
    Agent.objects.bulk_create(agents, batch_size=1000)
    AgentPrice.objects.bulk_create(
        (AgentPrice(agent=agent, token=NATIVE, amount=choose.randint(1, 10**18)) for agent in agents), batch_size=1000
    )
    AgentVersion.objects.bulk_create(
        (
            AgentVersion(
                agent=agent,
                number=f"1.{minor}.0",
                image=image_of(f"{agent.slug} {minor}"),
                input_schema=INPUT_SCHEMA,
                output_schema=OUTPUT_SCHEMA,
                verdict=AgentVersion.Verdict.ACCEPTED,
            )
            for agent in agents
            for minor in range(3)
        ),
        batch_size=1000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _vocabulary(choose: random.Random) -> list[str]:
    """Words in the order of their frequency; the known ones are among the commoner."""
    syllables = [
        "ba",
        "ci",
        "do",
        "fu",
        "ga",
        "hi",
        "jo",
        "ku",
        "la",
        "mi",
        "no",
        "pe",
        "ra",
        "si",
        "to",
        "vu",
        "wa",
        "ze",
    ]
    made: set[str] = set()
    while len(made) < VOCABULARY - len(KNOWN):
        made.add("".join(choose.choices(syllables, k=choose.randint(2, 4))))
    found = sorted(made)
    choose.shuffle(found)
    for number, word in enumerate(KNOWN):
        found.insert(40 + 30 * number, word)
    return found


def _measure() -> None:
    from django.db.models import Q

    from marketplace.catalogue.search import search
    from marketplace.models import Agent

    def page(case: Case) -> Callable[[], int]:
        return lambda: _read(search(**case.ask)[:PAGE])  # type: ignore[arg-type]

    def baseline(case: Case) -> Callable[[], int]:
        found = Q()
        for word in case.baseline.split():
            found &= Q(name__icontains=word) | Q(tagline__icontains=word) | Q(description__icontains=word)
        rows = Agent.objects.published().filter(found).with_listing().order_by("-published_at", "-id")
        return lambda: _read(rows.all()[:PAGE])

    for case in CASES:
        ours, theirs = _p95(page(case)), _p95(baseline(case))
        state = "ok" if ours <= GOAL_MS else "short"
        print(  # noqa: T201  a benchmark's output
            f"figure catalogue_{case.name}_p95 {ours:.1f} ms baseline {theirs:.1f} ratio {theirs / ours:.2f} "
            f"goal {GOAL_MS:.0f} {state}",
            flush=True,
        )


def _read(agents: Iterable[object]) -> int:
    """Make the rows as a list shows them; how many there are."""
    total = 0
    for agent in agents:
        _ = agent.live_version, agent.category.name, agent.creator.shown_name, list(agent.prices.all())  # type: ignore[attr-defined]
        total += 1
    return total


def _p95(work: Callable[[], int]) -> float:
    work()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
