"""A patient as the screens get them: with their history, and a matricule only where it may be."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sgi.catalogue import patients
from sgi.catalogue.database import Database
from sgi.domain.patient import (
    Dmp,
    DmpReading,
    Identifier,
    IdentifierKind,
    Identity,
    IdentityStatus,
    Traits,
)

NOON = datetime(2026, 6, 12, 12, tzinfo=UTC)
INS = Identifier("279035121518989", "1.2.250.1.213.1.4.10", IdentifierKind.INS)
CAMILLE = Identity(
    (Identifier("1", "CHU-X"), INS),
    Traits("DUPONT", "CAMILLE", "CAMILLE ROSE", sex="F", birth_date=date(1979, 3, 28)),
    IdentityStatus.QUALIFIED,
    dmp=Dmp("ACTIF", reading=DmpReading.CONSENTED),
)


def record(
    run: Any, database: Database, here: Any, who: Identity, minutes: int = 0, **rest: Any
) -> Any:
    async def done() -> Any:
        async with database.transaction(here.id) as connection:
            when = {"said_at": NOON + timedelta(minutes=minutes), "source": f"sgl m{minutes}"}
            return await patients.record(connection, here.id, who, **when, **rest)

    return run(done())


def get(web: Any, client: Any, patient_id: Any) -> Any:
    return web.get(client, f"/api/v1/patients/{patient_id}")


def test_a_patient_with_the_history_of_every_trait(
    web: Any, client: Any, run: Any, database: Database, here: Any, audit_rows: Any
) -> None:
    patient_id = record(run, database, here, CAMILLE)
    renamed = replace(CAMILLE, traits=replace(CAMILLE.traits, birth_name="DURAND"))
    record(run, database, here, renamed, 5)
    other = replace(CAMILLE, traits=replace(CAMILLE.traits, sex="M"))
    record(run, database, here, other, 6, only_fill=True)
    answer = get(web, client, patient_id)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told["identifiers"] == [{"value": "1", "assigner": "CHU-X"}]
    assert (told["birth_name"], told["birth_date"]) == ("DURAND", "1979-03-28")
    assert (told["matricule"], told["is_test"]) == (INS.value, True)
    assert told["dmp"] == {"state": "ACTIF", "feeding": None, "reading": "IC"}
    names = [saying["said"]["names"]["birth_name"] for saying in told["sayings"]]
    assert names == ["DUPONT", "DURAND", "DUPONT"]
    assert [saying["by_order"] for saying in told["sayings"]] == [False, False, True]
    assert "names" in told["sayings"][1]["believed"]
    (contradiction,) = told["contradictions"]
    assert (contradiction["source"], contradiction["traits"]) == ("sgl m6", ["birth_name", "sex"])
    assert [row["action"] for row in audit_rows(here)][-1] == "view_patient"


def test_no_matricule_goes_out_of_an_identity_that_is_not_qualified(
    web: Any, client: Any, run: Any, database: Database, here: Any
) -> None:
    patient_id = record(run, database, here, CAMILLE)
    provisional = replace(CAMILLE, status=IdentityStatus.PROVISIONAL)
    record(run, database, here, provisional, 1)
    answer = get(web, client, patient_id)
    assert answer.json()["matricule"] is None
    assert answer.json()["sayings"][0]["said"]["reliability"]["has_ins"]
    assert INS.value not in answer.text
    only_ins = replace(CAMILLE, identifiers=(INS,), status=IdentityStatus.PROVISIONAL)
    assert INS.value not in get(web, client, record(run, database, here, only_ins)).text


def test_a_record_that_was_merged_away_leads_to_who_lives(
    web: Any, client: Any, run: Any, database: Database, here: Any
) -> None:
    gone = record(run, database, here, replace(CAMILLE, identifiers=(Identifier("9", "CHU-X"),)))

    async def merge() -> Any:
        async with database.transaction(here.id) as connection:
            nine = Identifier("9", "CHU-X")
            return await patients.merge(
                connection, here.id, CAMILLE, nine, said_at=NOON, source="sgl m"
            )

    kept = run(merge())
    told = get(web, client, gone).json()
    assert told["id"] == str(kept)
    assert told["retired"] == [{"value": "9", "assigner": "CHU-X"}]
    (step,) = told["steps"]
    assert (step["kind"], step["one"], step["other"]) == ("merge", "9", "1")


def test_nobody_else_sees_them(
    web: Any, client: Any, run: Any, database: Database, there: Any
) -> None:
    assert get(web, client, record(run, database, there, CAMILLE)).status_code == 404
    assert get(web, client, uuid.uuid4()).status_code == 404
    assert get(web, client, "x").status_code == 422


CODE = (
    "IS01" + "0" * 22 + f"S1{INS.value}S2{INS.assigner}\x1dS3CAMILLE ROSE\x1dS4DUPONT\x1dS5F"
    "S628-03-1979S763220"
)


def compare(web: Any, client: Any, patient_id: Any, code: str) -> Any:
    path = f"/api/v1/patients/{patient_id}/compare"
    return web.run(client.post(path, json={"code": code}))


def test_a_datamatrix_is_compared_and_changes_nothing(
    web: Any, client: Any, run: Any, database: Database, here: Any, audit_rows: Any
) -> None:
    patient_id = record(run, database, here, CAMILLE)
    before = get(web, client, patient_id).json()
    answer = compare(web, client, patient_id, CODE)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told["whose"] == "same"
    assert told["fields"].pop("birth_place") == "unknown"
    assert set(told["fields"].values()) == {"same"}
    row = audit_rows(here)[-1]
    assert (row["action"], row["object_id"]) == ("compare_patient", patient_id)
    other = compare(web, client, patient_id, CODE.replace("DUPONT", "DURAND").replace("S5F", "S5M"))
    assert (other.json()["fields"]["birth_name"], other.json()["fields"]["sex"]) == (
        "differs",
        "differs",
    )
    assert get(web, client, patient_id).json() == before


def test_what_is_no_datamatrix_is_refused_and_not_said_again(
    web: Any, client: Any, run: Any, database: Database, here: Any, there: Any
) -> None:
    patient_id = record(run, database, here, CAMILLE)
    for code in ("26P1.A.1", CODE.replace("8989", "8988"), "", "x" * 601, "\u4e00"):
        answer = compare(web, client, patient_id, code)
        assert answer.status_code == 422
        assert "2790351215" not in answer.text
    stranger = record(run, database, there, CAMILLE)
    assert compare(web, client, stranger, CODE).status_code == 404
