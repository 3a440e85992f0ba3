"""What holds of a thing of which several messages speak, in whatever order they come.

Each field keeps the time at which it was said: a newer word replaces it, an older one fills in what
was never said, silence changes nothing, and of two of the same time the later received holds.
"""

from collections.abc import Mapping
from datetime import datetime

Times = Mapping[str, str]
"""By field: when what it holds was said (ISO 8601 with an offset)."""


def newest(times: Times, said: Mapping[str, object], said_at: datetime) -> dict[str, object]:
    """Those of the fields said that hold from now on; None in `said` is silence."""
    return {
        name: value
        for name, value in said.items()
        if value is not None and not (name in times and _later(times[name], said_at))
    }


def times_after(times: Times, taken: Mapping[str, object], said_at: datetime) -> dict[str, str]:
    """`times` once the fields in `taken` hold."""
    return {**times, **dict.fromkeys(taken, said_at.isoformat())}


def _later(time: str, said_at: datetime) -> bool:
    return datetime.fromisoformat(time) > said_at


def cancelled_after_record(cancelled_at: datetime | None, said_at: datetime) -> datetime | None:
    """When a thing counts as cancelled once it is said, at `said_at`, to be there; None: it lives.

    Of the same time, the later received holds.
    """
    return None if cancelled_at is None or said_at >= cancelled_at else cancelled_at


def cancelled_after_cancel(
    cancelled_at: datetime | None, recorded_at: datetime | None, said_at: datetime
) -> datetime | None:
    """The same once it is said to be cancelled; `recorded_at` is when it was last said to be."""
    if recorded_at is not None and said_at < recorded_at:
        return cancelled_at
    return said_at if cancelled_at is None else max(cancelled_at, said_at)
