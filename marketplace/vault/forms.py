"""Forms whose secret field never shows what is stored."""

from typing import Any

from django import forms

from chain.errors import DomainError
from marketplace.forms import add_domain_error


class _SecretForm(forms.Form):
    def add_domain_error(self, error: DomainError) -> None:
        """Puts an operation's sentences at the fields they are about."""
        add_domain_error(self, error, {})


def _write_only(**attrs: Any) -> forms.Textarea:
    return forms.Textarea(
        attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false", "class": "input-code", **attrs}
    )


class SecretForm(_SecretForm):
    """A secret of an agent."""

    name = forms.CharField(
        max_length=64,
        help_text="As in API_KEY. A name that is there already gets the new value.",
        widget=forms.TextInput(attrs={"class": "input-code", "autocomplete": "off", "autocapitalize": "characters"}),
    )
    value = forms.CharField(
        strip=False, help_text="Stored encrypted and never shown again, not even to you.", widget=_write_only()
    )


class CredentialForm(_SecretForm):
    """A registry's user and password."""

    registry = forms.CharField(
        max_length=255, help_text="Its host, as in ghcr.io.", widget=forms.TextInput(attrs={"class": "input-code"})
    )
    username = forms.CharField(max_length=255, label="User name")
    password = forms.CharField(
        label="Password or access token",
        help_text="One that may only pull is enough. Stored encrypted and never shown again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
