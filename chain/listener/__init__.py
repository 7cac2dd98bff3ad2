"""Follows a network and turns the logs of our contracts into events, exactly once each, whatever the node does."""

from chain.listener.listener import Listener

__all__ = ["Listener"]
