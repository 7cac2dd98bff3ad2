"""The database's clock: leases and deadlines of several machines are measured by one of them."""

from datetime import timedelta

from django.db.models import DateTimeField, DurationField, ExpressionWrapper, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now


def from_now(delta: timedelta) -> Combinable:
    """The moment `delta` from now, for an UPDATE."""
    return ExpressionWrapper(Now() + Value(delta, output_field=DurationField()), output_field=DateTimeField())
