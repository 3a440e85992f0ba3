"""When a case is due, and how well that is kept."""

from dataclasses import dataclass
from enum import StrEnum


class TargetKind(StrEnum):
    """What decides how soon a case is due."""

    EXTEMPORANE = "extemporane"
    """A frozen section, whatever its priority."""
    STAT = "S"
    ASAP = "A"
    ROUTINE = "R"


DEFAULT_HOURS: dict[TargetKind, float] = {
    TargetKind.EXTEMPORANE: 0.5,
    TargetKind.STAT: 24.0,
    TargetKind.ASAP: 72.0,
    TargetKind.ROUTINE: 168.0,
}
"""From the case's receipt to its sign-out, by the clock: nights and Sundays count."""
LEAST_HOURS = 0.25
MOST_HOURS = 10_000.0


@dataclass(frozen=True, slots=True)
class Turnaround:
    """How long the cases of one kind took that were signed out within some days."""

    kind: TargetKind
    target_hours: float
    cases: int
    in_time: int
    median_hours: float | None
    """None where there is no case."""
    ninth_decile_hours: float | None
    """Nine of ten took no longer."""
