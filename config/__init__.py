"""Wiring: settings, URLs, ASGI, Celery, API conventions and logging. The apps never import it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
