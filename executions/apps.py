"""Runs of agents: dispatch, sandbox, logs and results."""

from django.apps import AppConfig


class ExecutionsConfig(AppConfig):
    name = "executions"
    verbose_name = "Executions"

    def ready(self) -> None:
        from executions.evidence import runs_of
        from marketplace.disputes import evidence

        evidence.register(runs_of)
