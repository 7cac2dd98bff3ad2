"""Subscriptions to contract events."""


def register() -> None:
    """Subscribe; called once when the app is ready."""
