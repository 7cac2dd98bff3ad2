"""What becomes of the agents of a creator whose account is deleted."""

from marketplace.catalogue.agents import archive
from marketplace.models import Agent
from wallets.models import User


def archive_agents_of(user: User) -> None:
    """Take them off the market: nobody is left to answer for them. Whoever bought access keeps it."""
    for agent in Agent.objects.filter(creator=user, status=Agent.Status.PUBLISHED):
        archive(agent, user)
