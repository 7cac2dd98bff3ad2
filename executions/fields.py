"""A database field for JSON documents that come from people and agents."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.json import Json


class DocumentField(models.JSONField):
    """A JSON document kept as it was written: PostgreSQL's `json` type, not `jsonb`.

    `jsonb` sorts object members and refuses strings with NUL; a result's columns have an order, and text may hold any
    character. Documents are stored and shown, never searched, so nothing of `jsonb` is missed.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "json"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if value is None or hasattr(value, "as_sql"):
            return value
        return Json(value)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        return self.get_db_prep_value(value, connection)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return value  # psycopg has parsed it
