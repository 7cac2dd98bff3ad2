"""Structured logging: one JSON object a line in production, readable lines in development.

Fields: `timestamp level service message executionId userId` and what the event adds. Event names are static strings;
values go into fields, so that a log line can be searched and never carries a secret by interpolation.
"""

import logging.config
import os
import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SIGNED = re.compile(r"(?<=/files/signed/)[^/?\s]+")


def _fields(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    event["message"] = event.pop("event", "")
    event["service"] = os.environ.get("SERVICE", "web")
    for snake, camel in (("execution_id", "executionId"), ("user_id", "userId")):
        if snake in event:
            event[camel] = event.pop(snake)
    return event


def _finished_only(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """A request is told of once: when it is finished, with how it went."""
    if event.get("event") == "request_started":
        raise structlog.DropEvent
    return event


def _without_signatures(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """An address that opens a file for whoever has it is not written down."""
    for name in ("event", "request"):
        if name in event:
            event[name] = _SIGNED.sub("…", str(event[name]))
    return event


def configure(options: dict[str, Any]) -> None:
    """Set up `logging` and structlog. `options`: `level` and `format` ("json" or "console")."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _without_signatures,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderers: list[Processor] = (
        [_fields, structlog.processors.JSONRenderer()]
        if options["format"] == "json"
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    if options["format"] != "json":
        shared = shared[:-1]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            "loggers": {
                "daphne": {"level": "WARNING"},
                # It has set up a handler of its own before it loads us.
                "uvicorn": {"level": "WARNING", "handlers": [], "propagate": True},
                # What it says of refused requests, `request_finished` says too.
                "django.request": {"level": "ERROR"},
                "django.channels.server": {"level": "WARNING"},
                "urllib3": {"level": "WARNING"},
                "web3": {"level": "WARNING"},
                "docker": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            _finished_only,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
