"""The platform's terms that pages explain, read from the settings."""

from dataclasses import dataclass

from django.conf import settings

from marketplace.catalogue.demands import share_of
from marketplace.models import AgentVersion


@dataclass(frozen=True, slots=True)
class Terms:
    """Limits of a run (seconds, bytes, cores) and of the escrow (seconds, basis points)."""

    seconds: int
    memory: int
    cpus: str
    dispute_seconds: int
    hold_seconds: int
    fee_bps: int

    @property
    def fee_percent(self) -> str:
        """`2.5` for 250 basis points."""
        return f"{self.fee_bps / 100:g}"


def current_terms(version: AgentVersion | None = None) -> Terms:
    """The terms as configured now, with what a run of `version` gets."""
    share = share_of(version)
    return Terms(
        seconds=share.timeout_seconds,
        memory=share.memory_bytes,
        cpus=share.cpus,
        dispute_seconds=settings.DISPUTE_WINDOW_SECONDS,
        hold_seconds=settings.HOLD_PERIOD_SECONDS,
        fee_bps=settings.PLATFORM_FEE_BPS,
    )
