"""A run's connections by host, for its page."""

from typing import Any

from django.db.models import Sum

from executions.models import EgressRecord, Execution

Verdict = EgressRecord.Verdict
TONES = {
    Verdict.ALLOWED: "tone-good",
    Verdict.REFUSED: "tone-bad",
    Verdict.FAILED: "tone-busy",
    Verdict.MORE: "tone-neutral",
}
MOST_ROWS = 100


def connection_summary(execution: Execution) -> list[dict[str, Any]]:
    """Rows with host, port, verdict, its tone and label, times and bytes; no query for a version without hosts."""
    if not execution.version.hosts:
        return []
    rows = (
        execution.connections.order_by("host", "port")
        .values("host", "port", "verdict")
        .annotate(times=Sum("count"), total_sent=Sum("sent"), total_received=Sum("received"))[:MOST_ROWS]
    )
    return [row | {"tone": TONES[Verdict(row["verdict"])], "label": Verdict(row["verdict"]).label} for row in rows]
