"""When a case is due, and how well that is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sgi.domain.case import Priority


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
MOST_HOURS = 10_000.0


def target_kind(priority: Priority, *, extemporane: bool) -> TargetKind:
    """By what a case's due time is reckoned."""
    return TargetKind.EXTEMPORANE if extemporane else TargetKind(priority.value)


def due_at(received_at: datetime, kind: TargetKind, hours: Mapping[TargetKind, float]) -> datetime:
    """When a case is to be signed out; `hours` holds what differs from DEFAULT_HOURS."""
    return received_at + timedelta(hours=hours.get(kind, DEFAULT_HOURS[kind]))


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
