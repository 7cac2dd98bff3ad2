"""Putting our contracts on a network, and knowing that they are what we compiled."""

from chain.deployments.deploy import Deployer, Step
from chain.deployments.reset import forget_network
from chain.deployments.verify import CodeState, code_state

__all__ = ["CodeState", "Deployer", "Step", "code_state", "forget_network"]
