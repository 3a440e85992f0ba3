"""Rules by which new cases are given to pathologists and groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sgi.domain.case import Priority
from sgi.domain.folding import plain


@dataclass(frozen=True, slots=True)
class To:
    """Whose a case is to be; nobody's where both are None."""

    account_id: UUID | None = None
    group_id: UUID | None = None
    rotate: bool = False
    """To each of the group in turn."""


@dataclass(frozen=True, slots=True)
class AssignmentRule:
    """What a case must be to be given so; None fits everything."""

    position: int
    to: To
    organ: str | None = None
    """A part of the name of one of its organs; case and accents do not count."""
    service: str | None = None
    """The service's code."""
    priority: Priority | None = None
    extemporane: bool | None = None


@dataclass(frozen=True, slots=True)
class CaseTraits:
    """What rules look at."""

    organs: tuple[str, ...]
    service: str | None
    priority: Priority
    extemporane: bool


def first_that_fits(rules: Sequence[AssignmentRule], traits: CaseTraits) -> AssignmentRule | None:
    """By position; None where no rule fits."""
    ordered = sorted(rules, key=lambda rule: rule.position)
    return next((rule for rule in ordered if _fits(rule, traits)), None)


def _fits(rule: AssignmentRule, traits: CaseTraits) -> bool:
    organ = None if rule.organ is None else plain(rule.organ)
    return (
        (organ is None or any(organ in plain(each) for each in traits.organs))
        and rule.service in (None, traits.service)
        and rule.priority in (None, traits.priority)
        and rule.extemporane in (None, traits.extemporane)
    )
