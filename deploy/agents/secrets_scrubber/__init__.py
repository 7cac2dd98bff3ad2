"""Sample agent: finds and masks secrets and personal data in a text."""
