"""A patient's INS code names no slide, whoever sends it for one, and is repeated to nobody."""

import base64

import pytest

from tests.sgi.hl7.conftest import ONE, Lab, person

NIR = "279035121518989"
CODE = f"IS01{'0' * 22}S1{NIR}S21.2.250.1.213.1.4.8S4PAT-TROIS"
PACKED = base64.b64encode(CODE[:60].encode()).decode()


@pytest.mark.parametrize("code", [CODE, CODE[:60], CODE.lower(), PACKED])
def test_a_scanner_that_sends_it_for_a_slide(lab: Lab, code: str) -> None:
    event = f"OBR|1||{code}|SLIDE^sendScannedSlideImageLabelId"
    assert lab.send("OUL^R21", f"ORC|RE||{code}", event)[0] == "AE"
    assert lab.told.value("ERR-3") == "102"
    assert code not in str(lab.told.segments)
    assert NIR not in str(lab.rows("select changes, error from message"))
    assert code not in str(lab.rows("select changes, error from message"))


def test_an_order_of_a_slide_by_that_name(lab: Lab) -> None:
    assert lab.slide(person(ONE), name=CODE[:43])[0] == "AE"
    assert lab.rows("select identifier from glass") == []
    assert NIR not in str(lab.rows("select changes, error from message"))
