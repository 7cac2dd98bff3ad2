"""Runs of agents: dispatch, sandbox, logs and results."""

from django.apps import AppConfig


class ExecutionsConfig(AppConfig):
    name = "executions"
    verbose_name = "Executions"

    def ready(self) -> None:
        from executions.evidence import runs_of
        from executions.files.cleaning import delete_of
        from executions.nodes.offering import offered
        from executions.notify import workers
        from marketplace.catalogue import offers, verdicts
        from marketplace.disputes import evidence
        from wallets.signin import closing

        evidence.register(runs_of)
        closing.subscribe(delete_of)
        verdicts.subscribe(workers)
        offers.told_by(offered)
