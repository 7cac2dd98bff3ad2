"""The forms of the security page."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from wallets.credentials.models import Scope

_DAYS = {"30": "in 30 days", "90": "in 90 days", "365": "in a year", "": "never"}


class ApiKeyForm(forms.Form):
    """What a key is called, what it may do, and until when."""

    name = forms.CharField(
        max_length=50,
        help_text="Where you use it, so that you know later which one to revoke.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "nightly report"}),
    )
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        label="What it may do",
        error_messages={"required": "Choose at least one."},
    )
    days = forms.ChoiceField(choices=list(_DAYS.items()), required=False, label="It expires", initial="90")

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not name.isprintable():
            raise forms.ValidationError("Use printable characters only.")
        return name

    def expires_at(self) -> datetime | None:
        """When the key ends, counted from now; None for never."""
        days: Any = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class CloseForm(forms.Form):
    """Deleting the account is meant."""

    word = forms.CharField(
        label="Type DELETE to go on", widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "DELETE"})
    )

    def clean_word(self) -> str:
        if self.cleaned_data["word"].strip() != "DELETE":
            raise forms.ValidationError("Type the word DELETE in capitals.")
        return "DELETE"
