"""What is believed of a patient, made of everything that was ever said of them.

Traits that belong together are taken from one account: the newest of the administration's that says
anything of them, else the newest that came with an order. In what a person does not change (names,
sex, birth date) the first order stays believed: a later one that differs may be somebody else's.
A status holds of the birth name, sex and birth date that it was said with.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from sgi.domain.lineage import Standing
from sgi.domain.patient import (
    Dmp,
    DmpFeeding,
    DmpReading,
    Identifier,
    IdentifierKind,
    Identity,
    IdentityAttribute,
    IdentityStatus,
    Traits,
    contradicted,
)

Document = dict[str, Any]
"""What one account says, by group, as JSON: `{"names": {"birth_name": …}, "sex": "F"}`."""

_NAMES = ("birth_name", "first_given_name", "given_names", "used_name", "used_given_name")
_SINGLE = ("sex", "birth_date", "birth_place", "died")
_KEPT = frozenset({"names", "sex", "birth_date"})
RELIABILITY = "reliability"
OTHERS = "identifiers"
GROUPS = ("names", *_SINGLE, RELIABILITY, "dmp")


@dataclass(frozen=True, slots=True)
class Account:
    """Something that was said, and how much it counts."""

    said: Document
    by_order: bool
    standing: Standing
    said_at: datetime
    """The last time."""
    rank: int
    """Which of two that were said at the same time was heard later."""
    first_said_at: datetime | None = None
    """None: it was said once."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """All of what is believed of a patient, but for local identifiers."""

    traits: Traits = field(default_factory=Traits)
    status: IdentityStatus | None = None
    attributes: frozenset[IdentityAttribute] = frozenset()
    ins: Identifier | None = None
    dmp: Dmp | None = None
    said_at: datetime | None = None


def document_of(identity: Identity, named_by: Identifier | None) -> Document:
    """What an identity says of whom `named_by` names; groups of which it is silent are left out."""
    traits = identity.traits
    said: Document = {}
    names = {name: getattr(traits, name) for name in _NAMES}
    if any(names.values()):
        said["names"] = {name: value for name, value in names.items() if value}
    for name in _SINGLE:
        value = getattr(traits, name)
        if value is not None:
            said[name] = value.isoformat() if isinstance(value, date) else value
    if identity.status or identity.attributes or identity.ins:
        said[RELIABILITY] = {
            "status": identity.status,
            "attributes": sorted(identity.attributes),
            "ins": _written(identity.ins),
        }
    if identity.dmp is not None:
        said["dmp"] = asdict(identity.dmp)
    others = [_written(i) for i in identity.identifiers if _is_other(i, named_by)]
    if others:
        said[OTHERS] = others
    return said


def _is_other(identifier: Identifier, named_by: Identifier | None) -> bool:
    return identifier.kind is IdentifierKind.LOCAL and identifier != named_by


def deciding(accounts: Collection[Account]) -> dict[str, Account]:
    """Of each group, the account that is believed."""
    found = {}
    for group in GROUPS:
        telling = [
            account
            for account in accounts
            if group in account.said
            # Whether an identity is proved is never taken over from another record.
            and not (group == RELIABILITY and account.standing is Standing.MERGED)
        ]
        if telling:
            by_orders = all(account.by_order for account in telling)
            first = by_orders and group in _KEPT
            found[group] = max(telling, key=_earliness if first else _weight)
    return found


def _weight(account: Account) -> tuple[bool, Standing, datetime, int]:
    return not account.by_order, account.standing, account.said_at, account.rank


def _earliness(account: Account) -> tuple[Standing, float, int]:
    said_at = account.first_said_at or account.said_at
    return account.standing, -said_at.timestamp(), -account.rank


def portrait(accounts: Collection[Account]) -> Portrait:
    """What is believed where these were said."""
    decided = deciding(accounts)
    said = {group: account.said[group] for group, account in decided.items()}
    reliability = said.get(RELIABILITY, {})
    traits = traits_of(said)
    proved_of = traits_of(decided[RELIABILITY].said) if RELIABILITY in decided else Traits()
    return Portrait(
        traits=traits,
        status=_status(reliability.get("status"), traits, proved_of),
        attributes=frozenset(map(IdentityAttribute, reliability.get("attributes", ()))),
        ins=_read(reliability.get("ins")),
        dmp=None if "dmp" not in said else dmp_of(said["dmp"]),
        said_at=max((account.said_at for account in accounts), default=None),
    )


def _status(status: str | None, traits: Traits, proved_of: Traits) -> IdentityStatus | None:
    """What was proved is proved of the person it was said with, whom another account may change."""
    if status is None:
        return None
    return IdentityStatus.PROVISIONAL if contradicted(traits, proved_of) else IdentityStatus(status)


def traits_of(said: Document) -> Traits:
    """The traits of a document."""
    birth_date = said.get("birth_date")
    return Traits(
        **said.get("names", {}),
        sex=said.get("sex"),
        birth_date=None if birth_date is None else date.fromisoformat(birth_date),
        birth_place=said.get("birth_place"),
        died=said.get("died"),
    )


def dmp_of(said: Document) -> Dmp:
    feeding, reading = said.get("feeding"), said.get("reading")
    return Dmp(
        state=said.get("state"),
        feeding=None if feeding is None else DmpFeeding(feeding),
        reading=None if reading is None else DmpReading(reading),
    )


def others_of(said: Document) -> Iterable[Identifier]:
    """Local identifiers that an account gave beside the one that named its patient."""
    return (Identifier(value, assigner) for value, assigner in said.get(OTHERS, ()))


def _written(identifier: Identifier | None) -> list[str] | None:
    return None if identifier is None else [identifier.value, identifier.assigner]


def _read(written: list[str] | None) -> Identifier | None:
    return None if written is None else Identifier(written[0], written[1], IdentifierKind.INS)
