"""What the sharing remembers."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from marketplace.models import Agent


class Turn(models.Model):
    """When a person was last given a worker: of those who wait, the one served longest ago is next."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True)
    served_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} at {self.served_at}"


class AgentQuota(models.Model):
    """How much of an agent its creator lets be used; the platform's own limits hold besides. Empty: no limit."""

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, primary_key=True, related_name="quota")
    concurrent = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Runs at the same time, of all people."
    )
    daily = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Runs a day (UTC), of all people."
    )
    daily_per_user = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Runs a day (UTC) of one person."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(concurrent__gte=1), name="quota_lets_one_run_at_a_time"),
            models.CheckConstraint(condition=models.Q(daily__gte=1), name="quota_lets_one_run_a_day"),
            models.CheckConstraint(condition=models.Q(daily_per_user__gte=1), name="quota_lets_each_run_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"Quota of {self.agent_id}"
