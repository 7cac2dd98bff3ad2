"""A database field for the JSON documents of creators."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.json import Json


class DocumentField(models.JSONField):
    """A JSON document as it was written: PostgreSQL's `json`, not `jsonb`, which sorts the members of objects.

    The order of a schema's properties is the order of the form's fields. Documents are read whole, never searched.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "json"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return value if value is None or hasattr(value, "as_sql") else Json(value)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        return self.get_db_prep_value(value, connection)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return value  # psycopg has parsed it
