"""When a case is due."""

from sgi.domain.turnaround import DEFAULT_HOURS, TargetKind


def test_every_kind_has_a_target() -> None:
    assert set(DEFAULT_HOURS) == set(TargetKind)
