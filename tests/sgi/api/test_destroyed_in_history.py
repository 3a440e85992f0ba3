"""A case whose image was destroyed says so for good: who asked, who approved, which certificate."""

from typing import Any
from uuid import UUID

from sgi.catalogue import attachments
from sgi.domain.account import Role
from sgi.domain.identification import How
from sgi.domain.slide import Slide
from sgi.retention.destroy import Destroyer
from sgi.stores import Stores

PATH = "/api/v1/destructions"


def test_the_history_of_the_case_tells_of_it(
    web: Any, client: Any, here: Any, slide: Slide, store: Any, laboratory: Any
) -> None:
    lab = laboratory(here)
    case = lab.case("26P1", lab.patient())
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    lab.do(lambda c: attachments.attach(c, here.id, slide.id, glass, How.LATE))
    asker = web.signed_in(here, Role.PATHOLOGIST)
    rule = {"years": 20, "wait_days": 0, "reason": "made for a test"}
    assert web.run(client.put("/api/v1/retention", json=rule)).status_code == 200
    wish = {"slide_id": str(slide.id), "ground": "wrong_slide", "reason": "of Mrs Martin"}
    told = web.run(asker.post(PATH, json=wish)).json()
    named = {"slide_id": str(slide.id)}
    approved = web.run(client.post(f"{PATH}/{told['id']}/approve", json=named))
    assert approved.status_code == 200, approved.text
    destroyer = Destroyer(web.services.settings, lab.database, Stores(store))
    web.run(destroyer.destroy(here.id, UUID(told["id"])))
    shown = web.get(client, f"/api/v1/cases/{case}").json()
    (entry,) = [each for each in shown["history"] if each["kind"] == "scan_destroyed"]
    assert entry["before"] == "26P1.A.1.1"
    assert entry["by"] == here.accounts[Role.PATHOLOGIST]
    assert entry["approved_by"] == here.accounts[Role.ADMINISTRATOR]
    certificate = web.get(client, f"{PATH}/{entry['after']}/certificate").json()
    assert certificate["slide_id"] == str(slide.id)
    assert "Martin" not in str(shown["history"])
    assert shown["specimens"][0]["blocks"][0]["slides"][0]["scans"] == []
