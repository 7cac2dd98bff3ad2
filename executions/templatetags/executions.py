"""How runs are shown."""

from typing import Any

from django import template

from executions.models import Execution
from wallets.models import User

register = template.Library()
RECENT = 8
TONES = {
    Execution.Status.QUEUED: "tone-neutral",
    Execution.Status.STARTING: "tone-busy",
    Execution.Status.RUNNING: "tone-busy",
    Execution.Status.SUCCEEDED: "tone-good",
    Execution.Status.FAILED: "tone-bad",
    Execution.Status.TIMED_OUT: "tone-bad",
    Execution.Status.CANCELLED: "tone-neutral",
}


# What to do next, by what went wrong.
ADVICE = {
    Execution.Reason.EXIT: "Its log below says more. Check your input and run it again.",
    Execution.Reason.OUT_OF_MEMORY: "Try a smaller input.",
    Execution.Reason.BAD_OUTPUT: "The creator has to correct this. If it keeps happening, object to the purchase.",
    Execution.Reason.OUTPUT_LIMIT: "Try a smaller input; if it keeps happening, tell the creator.",
    Execution.Reason.IMAGE: "The creator has to make the image available again. Your input was not used.",
    Execution.Reason.INFRASTRUCTURE: "This was our fault. Run it again in a moment.",
    Execution.Reason.LOST: "This was our fault. Run it again.",
}


@register.filter
def queue_sentence(place: int | None) -> str:
    """Where a run stands in the queue."""
    if place is not None and place > 1:
        return f"Number {place:,} in the queue. People take turns."
    return "Next in the queue: waiting for a free worker."


@register.filter
def failure_advice(execution: Execution) -> str:
    """The next step after a run that failed."""
    if execution.status == Execution.Status.TIMED_OUT:
        return "Try a smaller input. What it wrote until then is in the log below."
    return ADVICE.get(Execution.Reason(execution.reason), "Run it again; if it keeps failing, tell the creator.")


@register.filter
def execution_tone(status: str) -> str:
    """The tone class of a state's badge."""
    return TONES[Execution.Status(status)]


@register.filter
def elapsed(seconds: float | None) -> str:
    """`0.8 s`, `12 s`, `4 min 05 s`."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@register.inclusion_tag("executions/_table.html")
def recent_executions(user: User) -> dict[str, Any]:
    """The user's newest runs."""
    return {"executions": user.executions.with_names().defer("input", "output").order_by("-id")[:RECENT]}
