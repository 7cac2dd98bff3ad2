"""The states of agents and versions and the only ways between them."""

from enum import StrEnum

from marketplace.catalogue.models import Agent, AgentVersion
from marketplace.errors import InvalidTransitionError


class AgentAction(StrEnum):
    PUBLISH = "publish"
    ARCHIVE = "archive"
    SUSPEND = "suspend"
    RESTORE = "restore"


class VersionAction(StrEnum):
    WITHDRAW = "withdraw"


# A suspended agent leaves that state by the staff's restoring only: archiving and publishing it anew would undo
# moderation.
AGENT_TRANSITIONS: dict[tuple[Agent.Status, AgentAction], Agent.Status] = {
    (Agent.Status.DRAFT, AgentAction.PUBLISH): Agent.Status.PUBLISHED,
    (Agent.Status.DRAFT, AgentAction.ARCHIVE): Agent.Status.ARCHIVED,
    (Agent.Status.PUBLISHED, AgentAction.ARCHIVE): Agent.Status.ARCHIVED,
    (Agent.Status.PUBLISHED, AgentAction.SUSPEND): Agent.Status.SUSPENDED,
    (Agent.Status.ARCHIVED, AgentAction.PUBLISH): Agent.Status.PUBLISHED,
    (Agent.Status.SUSPENDED, AgentAction.RESTORE): Agent.Status.PUBLISHED,
}

VERSION_TRANSITIONS: dict[tuple[AgentVersion.Status, VersionAction], AgentVersion.Status] = {
    (AgentVersion.Status.LIVE, VersionAction.WITHDRAW): AgentVersion.Status.WITHDRAWN,
}


def next_agent_status(status: str, action: AgentAction) -> Agent.Status:
    """The status after `action`. Raises InvalidTransitionError."""
    following = AGENT_TRANSITIONS.get((Agent.Status(status), action))
    if following is None:
        raise InvalidTransitionError(f"You cannot {action} this agent: it is {status}.")
    return following


def next_version_status(status: str, action: VersionAction) -> AgentVersion.Status:
    """The status after `action`. Raises InvalidTransitionError."""
    following = VERSION_TRANSITIONS.get((AgentVersion.Status(status), action))
    if following is None:
        raise InvalidTransitionError(f"You cannot {action} this version: it is {status}.")
    return following
