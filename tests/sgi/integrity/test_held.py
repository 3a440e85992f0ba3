"""A legal hold is put on what appears after it too: second copies, and repaired objects."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest


@pytest.fixture
def protections(url: str) -> Callable[[Any], int]:
    """How many jobs there are that put the slide's hold on its objects; they are taken away."""

    def count(kept: Any) -> int:
        with psycopg.connect(url) as owner:
            cursor = owner.execute(
                """update procrastinate_jobs set status = 'cancelled'
                   where task_name = 'sgi.protect_slide' and status = 'todo'
                     and args ->> 'slide_id' = %s""",
                [str(kept.slide.id)],
            )
            return cursor.rowcount

    return count


def test_what_appears_under_a_hold_is_held(keep: Any, protections: Callable[[Any], int]) -> None:
    kept = keep()
    key = kept.names()[0]
    kept.warm[key] = bytes(len(kept.warm[key]))
    assert kept.verify().repaired
    assert kept.copy()
    assert protections(kept) == 0, "nothing holds it"
    kept.edit(
        """insert into legal_hold (establishment_id, slide_id, reason, placed_by)
           values (%s, %s, 'a lawsuit', 'somebody')""",
        kept.slide.establishment_id,
        kept.slide.id,
    )
    assert kept.copy()
    assert protections(kept) == 1
    assert not kept.verify().findings
    assert protections(kept) == 0
    kept.warm[key] = bytes(len(kept.warm[key]))
    assert kept.verify().repaired
    assert protections(kept) == 1
    evidence = [name for name in kept.warm if name.startswith("quarantine/")]
    assert all(name.startswith(f"quarantine/{kept.slide.id}/") for name in evidence)
    assert len(evidence) == 2
