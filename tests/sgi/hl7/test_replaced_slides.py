"""A slide that takes another's place, in one message: the case is not ready because one went."""

from typing import Any

import pytest

from tests.sgi.hl7.conftest import AA, ONE, Lab, person


def order(control: str, slide: str) -> tuple[str, ...]:
    return (
        f"ORC|{control}|26P1|26P1" + "|" * 35 + "26P1",
        "OBR|1|26P1|26P1|ACP^Anatomie pathologique^L",
        f"SPM|1|{slide}|26P1-A|TISS^Tissue^HL70487" + "|" * 23 + "GLASS|||26P1",
    )


@pytest.mark.parametrize("at_once", [False, True])
def test_one_goes_and_one_comes(
    lab: Lab, publish: Any, here: Any, store: Any, *, at_once: bool
) -> None:
    for name in ("26P1-A-1", "26P1-A-2"):
        assert lab.slide(person(ONE), name=name) == AA
    lab.attach(publish(here, store).id, "26P1-A-1")
    assert lab.slide(person(ONE), name="26P1-A-1") == AA
    orders = [order("CA", "26P1-A-2"), order("NW", "26P1-A-3")]
    for told in [sum(orders, ())] if at_once else orders:
        assert lab.send("OML^O21^OML_O21", person(ONE), *told) == AA
    found = lab.rows("select state, expected, scanned from lab_case")
    assert found == [("in_progress", 2, 1)]
