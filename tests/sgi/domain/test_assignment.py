"""Which rule a case falls under."""

import uuid

import pytest

from sgi.domain.assignment import AssignmentRule, CaseTraits, To, first_that_fits
from sgi.domain.case import Priority

ANNE, PAUL, GROUP = (To(account_id=uuid.uuid4()) for _ in range(3))
RULES = [
    AssignmentRule(3, GROUP),
    AssignmentRule(1, ANNE, organ="sein", extemporane=True),
    AssignmentRule(2, PAUL, service="CYTO", priority=Priority.STAT),
]


@pytest.mark.parametrize(
    ("traits", "to"),
    [
        (CaseTraits(("Sein gauche",), None, Priority.ROUTINE, extemporane=True), ANNE),
        (CaseTraits(("SEIN",), "CYTO", Priority.STAT, extemporane=True), ANNE),
        (CaseTraits(("Sein",), "CYTO", Priority.STAT, extemporane=False), PAUL),
        (CaseTraits(("Côlon",), "CYTO", Priority.ASAP, extemporane=False), GROUP),
        (CaseTraits((), None, Priority.STAT, extemporane=False), GROUP),
    ],
)
def test_the_first_by_position_that_fits_holds(traits: CaseTraits, to: To) -> None:
    rule = first_that_fits(RULES, traits)
    assert rule is not None
    assert rule.to is to


def test_accents_and_case_do_not_count_and_nothing_may_fit() -> None:
    rules = [AssignmentRule(1, ANNE, organ="COLON")]
    colon = CaseTraits(("Côlon sigmoïde",), None, Priority.ROUTINE, extemporane=False)
    skin = CaseTraits(("Peau",), None, Priority.ROUTINE, extemporane=False)
    assert first_that_fits(rules, colon) == rules[0]
    assert first_that_fits(rules, skin) is None
