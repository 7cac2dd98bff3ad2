"""Runs of agents: dispatch, sandbox, logs and results."""

from django.apps import AppConfig


class ExecutionsConfig(AppConfig):
    name = "executions"
    verbose_name = "Executions"
