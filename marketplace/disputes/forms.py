"""The decision of a dispute, as staff write it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget

from marketplace.disputes.statements import RULE, cleaned
from marketplace.errors import InvalidStatementError


class DecisionForm(forms.Form):
    """How much goes back, and why. Per cent with two decimals are basis points."""

    refund_percent = forms.DecimalField(
        label="Share of the buyer in per cent",
        min_value=Decimal(0),
        max_value=Decimal(100),
        decimal_places=2,
        max_digits=5,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"inputmode": "decimal"}),
        help_text="0 pays the creator everything, 100 refunds the buyer everything and ends the access.",
    )
    text = forms.CharField(
        label="Decision",
        max_length=RULE.maximum,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text="The reasons. Buyer and creator read them; the chain gets their hash.",
    )

    @property
    def refund_bps(self) -> int:
        """The share in basis points, of a valid form."""
        return int(self.cleaned_data["refund_percent"] * 100)

    def clean_text(self) -> Any:
        """The text as it is kept and hashed."""
        try:
            return cleaned("text", self.cleaned_data["text"])
        except InvalidStatementError as exc:
            raise ValidationError(exc.message) from exc
