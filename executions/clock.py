"""The database's clock: leases and deadlines of several machines are measured by one of them."""

from datetime import timedelta

from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now


class ServerStart(Func):
    """When the database server was started."""

    function = "pg_postmaster_start_time"
    arity = 0
    output_field = DateTimeField()


def from_now(delta: timedelta) -> Combinable:
    """The moment `delta` from now, for an UPDATE."""
    return ExpressionWrapper(Now() + Value(delta, output_field=DurationField()), output_field=DateTimeField())


def seconds_from_now(field: str, more: timedelta) -> Combinable:
    """The moment as many seconds from now as the row's `field` says, and `more`, for an UPDATE."""
    second = Value(timedelta(seconds=1), output_field=DurationField())
    span = ExpressionWrapper(F(field) * second, output_field=DurationField())
    return ExpressionWrapper(from_now(more) + span, output_field=DateTimeField())
