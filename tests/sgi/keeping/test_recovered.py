"""In a database that came back from an earlier day nothing moves before the stores are heard."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sgi import recovery
from sgi.catalogue import tiers
from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState, TierEvent, TierPolicy, TierRule
from sgi.integrity.rebuild import rebuild
from sgi.keeping.tiers_tasks import apply_policy, tend


@pytest.fixture
def marked(url: str) -> Iterator[None]:
    with psycopg.connect(url, autocommit=True) as owner:
        recovery.mark(owner)
    yield
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("alter database sgi reset sgi.recovered")


def hear(kept: Any, url: str) -> None:
    outcome = kept.run(rebuild(url, kept.keeping.stores, missing=True))
    assert not any(str(kept.slide_id) in problem for problem in outcome.problems)


def test_a_move_waits(kept: Any, url: str, marked: None) -> None:
    move = kept.ask(Tier.COLD)
    assert kept.work(move).state is MoveState.WAITING
    assert list(kept.cold.list()) == []
    hear(kept, url)
    assert kept.work(move).state is MoveState.DONE


def test_a_restore_waits(kept: Any, url: str) -> None:
    kept.cool()
    kept.reap()
    with psycopg.connect(url, autocommit=True) as owner:
        recovery.mark(owner)
    before = kept.warm_keys()
    move = kept.ask(Tier.WARM)
    assert kept.work(move).state is MoveState.WAITING
    assert kept.warm_keys() == before
    hear(kept, url)
    assert kept.work(move).state is MoveState.DONE
    kept.assert_nothing_is_lost()


def test_nothing_is_reaped(kept: Any, url: str) -> None:
    assert kept.cool().state is MoveState.DONE
    with psycopg.connect(url, autocommit=True) as owner:
        recovery.mark(owner)
    all_of_it = kept.warm_keys()
    kept.reap()
    kept.run(tend(kept.keeping, grace=timedelta(0)))
    assert kept.warm_keys() == all_of_it
    hear(kept, url)
    kept.run(tend(kept.keeping, grace=timedelta(0)))
    kept.assert_nothing_is_lost()


def test_no_policy_asks_for_a_move(kept: Any, url: str, marked: None) -> None:
    rules = TierPolicy(
        active=True,
        warm_side=256,
        slides_per_day=100,
        rules=(TierRule(after_days=1, event=TierEvent.PUBLISHED),),
    )
    kept.transaction(tiers.set_policy, kept.establishment.id, rules)
    later = kept.slide.published_at + timedelta(days=9)
    assert kept.run(apply_policy(kept.keeping, kept.establishment.id, later)) == 0
    hear(kept, url)
    assert kept.run(apply_policy(kept.keeping, kept.establishment.id, later)) == 1
