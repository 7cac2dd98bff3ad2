"""What is made of an engine's words when a container cannot be started; those below were said by Docker 20.10."""

import pytest

from executions.runners.docker import endings
from executions.runners.docker.engine import EngineCallError

FAILED = "failed to create shim task: OCI runtime create failed: "
NO_SUCH = (
    'The image\'s command could not be started: exec: "/no/such": stat /no/such: no such file or directory: unknown'
)


@pytest.mark.parametrize(
    ("said", "fault", "refusal"),
    [
        (
            f"{FAILED}runc create failed: unable to start container process: error during container init: "
            'starting container process caused: exec: "/no/such": stat /no/such: no such file or directory: unknown',
            NO_SUCH,
            "The Docker engine could not run the agent.",
        ),
        (
            f"{FAILED}unable to retrieve OCI runtime error (open /run/x/log.json: no such file or directory): "
            "fork/exec /usr/bin/runsc: no such file or directory: unknown",
            None,
            "The runtime of this machine could not be started: its program may be missing.",
        ),
        (
            'error while looking up the specified runtime path: exec: "/usr/bin/runsc": stat /usr/bin/runsc: '
            "no such file or directory",
            None,
            "The runtime of this machine could not be started: its program may be missing.",
        ),
        (
            'could not select device driver "" with capabilities: [[gpu]]',
            None,
            "This machine has no GPU for agents, which this version asks for.",
        ),
        ("no space left on device", None, "The Docker engine could not run the agent."),
    ],
)
def test_who_is_to_blame(said: str, fault: str | None, refusal: str) -> None:
    error = EngineCallError(said, 400)
    assert endings.image_fault(error) == fault
    assert endings.refusal(error) == refusal
