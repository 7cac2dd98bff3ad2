"""What a runner is told of an execution."""

from dataclasses import replace
from functools import partial

from executions import documents, limits
from executions.files import collecting, using
from executions.models import Execution
from executions.runners.base import InputFile, RegistryLogin, RunSpec
from executions.worker.patience import patiently
from marketplace.vault.operations import credential_for, secrets_of


def spec_of(execution: Execution) -> RunSpec:
    """The spec of the attempt in `execution.attempt`. Raises VaultError."""
    version = execution.version
    document, files = using.handed(execution)
    login = credential_for(execution.agent.creator_id, version.image)
    return RunSpec(
        execution_id=execution.pk,
        attempt=execution.attempt,
        image=version.image,
        module=version.module,
        input=documents.dump(document),
        limits=replace(limits.for_version(version), timeout=execution.deadline_seconds),
        hosts=tuple(version.hosts),
        runtime=version.runtime,
        gpus=version.gpus,
        secrets=secrets_of(execution.agent),
        files=tuple(map(_awaited, files)),
        gives_files=collecting.gives_files(execution),
        room=execution.room,
        registry=RegistryLogin(login.username, login.password) if login else None,
    )


def _awaited(file: InputFile) -> InputFile:
    return replace(file, open=partial(patiently, file.open))
