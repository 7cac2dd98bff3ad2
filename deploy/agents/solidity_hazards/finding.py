"""What a rule reports."""

from dataclasses import dataclass

SEVERITIES = ("high", "medium", "low", "info")


@dataclass(frozen=True, slots=True)
class Hazard:
    """A kind of hazard: `code` is stable and can be named in a comment that silences it."""

    code: str
    severity: str
    title: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A hazard at a place; `detail` says what was seen there."""

    hazard: Hazard
    line: int
    where: str
    detail: str
    severity: str = ""

    @property
    def level(self) -> str:
        """How bad it is here: the hazard's own severity unless the place makes it another."""
        return self.severity or self.hazard.severity
