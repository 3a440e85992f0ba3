"""What establishments have decided, as it lies in the store: limits, policies, holds, certificates.

Every kind of object under `establishments/` has its row in `_KINDS`; one that has none is told of.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from sgi.catalogue import rebuild as rows
from sgi.catalogue.recovered import Owner
from sgi.stored.establishment import StoredEstablishment
from sgi.stored.forecast import StoredActivity
from sgi.stored.keys import (
    ESTABLISHMENTS,
    certificate_key,
    destruction_key,
    establishment_key,
    forecast_key,
    holds_key,
    quality_limits_key,
    retention_key,
    tier_policy_key,
)
from sgi.stored.limits import StoredLimits
from sgi.stored.retention import Certificate, StoredDestruction, StoredHolds, StoredRule
from sgi.stored.tiers import StoredTierPolicy
from storage.errors import ObjectNotFoundError, ObjectTooLargeError
from storage.store import ObjectStore

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_LONGEST = 4 << 20


@dataclass(frozen=True, slots=True)
class Decision:
    """One object, read and understood."""

    key: str
    establishment_id: UUID
    establishment_name: str | None
    """Where the object says it."""
    at: datetime
    add: Callable[[Owner], Awaitable[object]]
    """Makes its rows; True where a person has to decide again."""
    ended_slide: UUID | None = None
    """The slide that was destroyed, by a certificate: it is one no more."""
    halved_slide: UUID | None = None
    """One whose destruction has begun, perhaps: some of it may be gone."""
    unless_ended: UUID | None = None
    """A slide of which this is not to be said once its destruction has begun."""
    of_holds: UUID | None = None
    """The slide whose holds it tells: what it says of their end is not taken."""
    is_establishment: bool = False
    """It says no more than that there is one."""


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    """Below the establishment's folder, as a pattern."""
    model: type[BaseModel]
    key: Callable[[Any], str]
    """Where an object of this content must lie."""
    add: Callable[[Owner, Any], Awaitable[object]]


_KINDS = (
    _Kind(
        r"establishment\.json",
        StoredEstablishment,
        lambda it: establishment_key(it.establishment_id),
        rows.add_stored_establishment,
    ),
    _Kind(
        r"quality\.json",
        StoredLimits,
        lambda it: quality_limits_key(it.establishment_id),
        rows.add_limits,
    ),
    _Kind(
        r"forecast\.json",
        StoredActivity,
        lambda it: forecast_key(it.establishment_id),
        rows.add_activity,
    ),
    _Kind(
        r"tiers\.json",
        StoredTierPolicy,
        lambda it: tier_policy_key(it.establishment_id),
        rows.add_tier_policy,
    ),
    _Kind(
        r"retention\.json",
        StoredRule,
        lambda it: retention_key(it.establishment_id),
        rows.add_rule,
    ),
    # One that was lifted stands in the way of no destruction that came after it.
    _Kind(
        rf"holds/{_UUID}\.json",
        StoredHolds,
        lambda it: holds_key(it.establishment_id, it.slide_id),
        rows.add_holds,
    ),
    _Kind(
        rf"certificates/{_UUID}\.json",
        Certificate,
        lambda it: certificate_key(it.establishment_id, it.id),
        rows.add_destruction,
    ),
    _Kind(
        rf"destructions/{_UUID}\.json",
        StoredDestruction,
        lambda it: destruction_key(it.establishment_id, it.id),
        rows.add_destruction,
    ),
)


def read_decisions(store: ObjectStore) -> Iterator[Decision | str]:
    """Every decision, or a line that says which object is none; holds come before destructions,
    and certificates before what they ended. Blocking; raises the store's errors when it does not
    answer.
    """
    found = [info.key for info in store.list(ESTABLISHMENTS)]
    for kind in _KINDS:
        pattern = re.compile(rf"{ESTABLISHMENTS}{_UUID}/{kind.name}")
        mine = sorted(key for key in found if pattern.fullmatch(key))
        found = [key for key in found if key not in set(mine)]
        for key in mine:
            found_here = _read(store, key, kind)
            yield found_here
            if isinstance(found_here, str) and kind.model is StoredHolds:
                yield _held_until_read(key)
    for key in sorted(found):
        yield f"{key} is not taken: nobody knows this kind of object."


def _read(store: ObjectStore, key: str, kind: _Kind) -> Decision | str:
    try:
        told: Any = kind.model.model_validate_json(store.read(key, limit_bytes=_LONGEST))
        at_home = kind.key(told) == key
    except (ObjectNotFoundError, ObjectTooLargeError, ValueError, TypeError, RecursionError):
        return f"{key} is not taken: it is not what it should be."
    if not at_home:
        return f"{key} is not taken: it belongs elsewhere."
    return Decision(
        key,
        told.establishment_id,
        getattr(told, "establishment_name", None),
        getattr(told, "done_at", None) or getattr(told, "created_at", None) or datetime.now(UTC),
        lambda connection: kind.add(connection, told),
        told.slide_id if isinstance(told, Certificate) else None,
        told.slide_id if isinstance(told, StoredDestruction) and told.began_at else None,
        of_holds=told.slide_id if isinstance(told, StoredHolds) else None,
        is_establishment=isinstance(told, StoredEstablishment),
    )


def _held_until_read(key: str) -> Decision:
    """A slide of which nobody can say whether it is held, is."""
    _, establishment, _, name = key.split("/")
    establishment_id, slide_id = UUID(establishment), UUID(name.removesuffix(".json"))
    return Decision(
        key,
        establishment_id,
        None,
        datetime.now(UTC),
        lambda connection: rows.hold_unread(connection, establishment_id, slide_id),
        unless_ended=slide_id,
    )
