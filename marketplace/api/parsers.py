"""Reading request bodies."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser


class BodyParser(JSONParser):
    """JSON whose nesting is the client's mistake, not ours, when Python's parser gives up on it."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON document is nested too deeply.") from None


class ModuleParser(BaseParser):
    """A WebAssembly module as the whole body; no more of it is read than a module may have, and one byte."""

    media_type = "application/wasm"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, bytes]:
        return {"content": bytes(stream.read(settings.MODULE_BYTES + 1))}
