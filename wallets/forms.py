"""Forms of the profile page."""

from django import forms


class ProfileForm(forms.Form):
    """How other people see you."""

    display_name = forms.CharField(
        required=False,
        max_length=50,
        help_text="Shown beside the agents you publish. Empty shows your short address.",
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
