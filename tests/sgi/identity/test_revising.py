"""Slides are told anew: what doors say of them, what the store keeps, and what is retired."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pydicom

from dicom.frame_index import FrameIndex
from sgi.catalogue import attachments, identities, outbox_turns, patients
from sgi.catalogue.image_uids import uids_of_image
from sgi.domain.case import AssetKind
from sgi.domain.patient import (
    Identifier,
    IdentifierKind,
    Identity,
    IdentityAttribute,
    IdentityStatus,
)
from sgi.ingest.identify import identify
from sgi.integrity.pace import Pace
from sgi.integrity.verify import Verifier
from sgi.stored.identity import parse_identity
from sgi.stored.keys import identity_name, instance_key, side_object_key
from sgi.stored.sources import HeldBytes
from sgi.stores import Stores
from storage.errors import StoreUnavailableError
from tests.sgi.identity.conftest import ACTOR, Bench, patients_told, study_of, told_uids, value


def test_instances_say_whose_they_are_by_uids_of_their_own(told: Bench) -> None:
    stored = {each.sop_uid for each in told.slide.instances}
    documents = told.metadata()
    assert len(documents) == len(stored)
    for document in documents:
        assert value(document, "00100010") == {"Alphabetic": "MARTIN^LÉA"}
        assert value(document, "00100020") == "IPP1"
        assert value(document, "00100021") == "CHU"
        assert value(document, "00100030") == "19790302"
        assert value(document, "00100040") == "F"
        assert value(document, "00080050") == "26P00123"
        assert value(document, "00080020") == "20260612"
        assert value(document, "00400512") == "26P00123.A.01.01"
        assert value(document, "00080018") not in stored
        specimen = value(document, "00400560")
        assert value(specimen, "00400551") == "26P00123.A.01.01"
        assert value(specimen, "00400600") == "sein gauche"
        assert "26P00123.A.01" in json.dumps(specimen)
        assert "safran" in json.dumps(specimen)
    (case,) = told.lab.rows("select study_uid from lab_case")
    assert {value(each, "0020000D") for each in documents} == {case["study_uid"]}


def test_what_is_sent_is_what_is_stored_but_for_its_beginning(told: Bench) -> None:
    before = {key: bytes(data) for key, data in told.store.objects.items() if key.endswith(".dcm")}
    for document in told.metadata():
        uid = value(document, "00080018")
        answer = told.get(f"{told.series()}/instances/{uid}", accept="application/dicom")
        assert answer.status_code == 200
        assert len(answer.content) == int(answer.headers["content-length"])
        sent = pydicom.dcmread(io.BytesIO(answer.content))
        assert sent.SOPInstanceUID == sent.file_meta.MediaStorageSOPInstanceUID == uid
        assert (str(sent.PatientName), sent.PatientID) == ("MARTIN^LÉA", "IPP1")
        stored = next(e for e in told.slide.instances if uid == told_uids(told, e.sop_uid))
        data = before[instance_key(told.slide.id, stored.sop_uid)]
        ours, theirs = FrameIndex.read(HeldBytes(data)), FrameIndex.read(HeldBytes(answer.content))
        first, their_first = ours.offset(0)[0], theirs.offset(0)[0]
        assert data[first:] == answer.content[their_first:]
        kept = pydicom.dcmread(io.BytesIO(data))
        for keyword in ("FrameOfReferenceUID", "ImageType", "SharedFunctionalGroupsSequence"):
            assert kept[keyword] == sent[keyword]
        assert kept.get("PyramidUID") == sent.get("PyramidUID")
        assert not kept.PatientName  # the store never holds whose it is
    now = {key: bytes(data) for key, data in told.store.objects.items() if key.endswith(".dcm")}
    assert now == before


def test_a_series_comes_whole_and_frames_by_the_new_uids(told: Bench) -> None:
    answer = told.get(told.series(), accept='multipart/related; type="application/dicom"')
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["content-length"])
    assert answer.content.count(b"DICM") == len(told.slide.instances)
    uid = value(told.metadata()[0], "00080018")
    frame = told.get(f"{told.series()}/instances/{uid}/frames/1", accept="*/*")
    assert frame.status_code == 200
    rendered = told.get(f"{told.series()}/instances/{uid}/rendered", accept="image/jpeg")
    assert rendered.status_code == 200


def test_searches_find_it_by_whose_it_is(told: Bench) -> None:
    for query in (
        "PatientID=IPP1",
        "AccessionNumber=26P00123",
        "PatientName=martin*&fuzzymatching=true",
    ):
        (study,) = told.get(f"/studies?{query}").json()
        assert value(study, "00080050") == "26P00123"
        instances = told.get(f"/instances?{query}").json()
        assert len(instances) == len(told.slide.instances)
        assert {value(each, "00080018") for each in instances} == {
            told_uids(told, each.sop_uid) for each in told.slide.instances
        }
    assert told.get("/studies?PatientID=IPP2").status_code in {200, 204}
    assert told.get(f"/series?StudyInstanceUID={told.slide.study_uid}").json() == []


def test_the_old_uids_are_gone_with_a_sentence(told: Bench) -> None:
    slide = told.slide
    old = f"/studies/{slide.study_uid}/series/{slide.series_uid}"
    for path in (
        f"/studies/{slide.study_uid}/series/{slide.series_uid}/metadata",
        f"{old}/instances/{slide.levels[0].sop_uid}/metadata",
        f"{told.series()}/instances/{slide.levels[0].sop_uid}/metadata",
    ):
        answer = told.get(path)
        assert answer.status_code == 410, (path, answer.text)
        assert "corrected" in answer.json()["detail"]
    assert told.get("/studies/2.25.1/metadata").status_code == 404


def test_nothing_new_to_tell_makes_no_revision(told: Bench) -> None:
    told.lab.patient("IPP1", sex="F")
    told.lab.case("26P00123")
    assert told.tell() == 0
    assert told.lab.rows("select * from identity_due") == []
    assert told.row()["identity_revision"] == 1


def test_a_correction_makes_another_revision_of_the_same_series(told: Bench) -> None:
    series = told.series()
    first = {value(each, "00080018") for each in told.metadata()}
    told.lab.patient("IPP1", birth_name="MARTINEZ")
    assert told.tell() == 1
    assert told.series() == series
    documents = told.metadata()
    assert {value(each, "00100010")["Alphabetic"] for each in documents} == {"MARTINEZ^LÉA"}
    assert not first & {value(each, "00080018") for each in documents}
    gone = told.get(f"{series}/instances/{min(first)}/metadata")
    assert gone.status_code == 410
    for revision in (1, 2):
        key = side_object_key(told.slide.id, identity_name(revision))
        stored = parse_identity(told.store.objects[key])
        assert stored is not None
        assert stored.revision == revision


def test_taken_away_from_its_glass_the_file_speaks_again(told: Bench) -> None:
    slide = told.slide
    told.lab.do(lambda c: attachments.undo(c, slide.establishment_id, slide.id, "swapped", ACTOR))
    assert told.tell() == 1
    for document in told.metadata():
        assert value(document, "00100010") is None
        assert value(document, "0020000D") == slide.study_uid
        assert value(document, "0020000E") != slide.series_uid
        assert "IPP1" not in json.dumps(document)
    (note,) = told.lab.rows("select * from rejection_note where revision = 2")
    told_note = pydicom.dcmread(io.BytesIO(bytes(note["file"])))
    assert told_note.ConceptNameCodeSequence[0].CodeValue == "113037"
    assert told_note.PatientID == "IPP1"


def test_a_note_says_which_instances_are_not_to_be_used(told: Bench) -> None:
    (row,) = told.lab.rows("select * from rejection_note")
    note = pydicom.dcmread(io.BytesIO(bytes(row["file"])))
    assert note.ConceptNameCodeSequence[0].CodeValue == "113038"
    assert note.StudyInstanceUID == told.slide.study_uid
    evidence = note.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.SeriesInstanceUID == told.slide.series_uid
    assert {each.ReferencedSOPInstanceUID for each in evidence.ReferencedSOPSequence} == {
        each.sop_uid for each in told.slide.instances
    }


def test_a_store_that_is_away_is_waited_for_and_nothing_is_told_meanwhile(
    bench: Bench, run: Any
) -> None:
    assert run(identify(bench.lab.database, bench.slide, []))
    bench.store.fail(StoreUnavailableError("away"))
    assert bench.tell() == 0
    assert bench.row()["identity_revision"] == 0
    assert bench.lab.rows("select * from slide_identity") == []
    bench.store.fail(None)
    assert bench.tell() == 1


def test_an_object_whose_row_never_committed_is_written_over(bench: Bench, run: Any) -> None:
    key = side_object_key(bench.slide.id, identity_name(1))
    bench.store.put(key, b"of a try that died")
    run(identify(bench.lab.database, bench.slide, []))
    assert bench.tell() == 1
    assert parse_identity(bench.store.objects[key]) is not None


def test_the_scrub_proves_revisions_and_raises_no_alarm_for_one_that_never_was(
    told: Bench,
) -> None:
    verifier = Verifier(told.lab.database, Stores(told.store), Pace(0))
    slide = told.slide

    def findings() -> list[str]:
        verified = told.lab.run(verifier.verify(slide.establishment_id, slide.id))
        return [each.key for each in verified.findings]

    assert findings() == []
    told.store.put(side_object_key(slide.id, identity_name(2)), b"of a try that died")
    assert findings() == []
    key = side_object_key(slide.id, identity_name(1))
    told.store.put(key, b"other bytes")
    assert findings() == [key]


def test_another_patient_of_the_case_is_a_matter_of_safety(told: Bench) -> None:
    told.lab.case("26P00123", told.lab.patient("IPP2", birth_name="DURAND"))
    assert told.tell() == 1
    assert {value(each, "00100020") for each in told.metadata()} == {"IPP2"}
    assert told.identity().rejected == "113037"


def say(bench: Bench, identity: Identity) -> None:
    lab = bench.lab
    lab.said_at += timedelta(seconds=1)
    lab.do(
        lambda c: patients.record(
            c, lab.establishment.id, identity, said_at=lab.said_at, source="test"
        )
    )


def test_the_ins_is_told_only_where_it_may_be_shown(told: Bench) -> None:
    ins = Identifier("279035121518989", "1.2.250.1.213.1.4.8", IdentifierKind.INS)
    known = Identity((Identifier("IPP1", "CHU"), ins), status=IdentityStatus.RETRIEVED)
    say(told, known)
    told.tell()
    assert "00101002" not in told.metadata()[0]
    say(told, replace(known, status=IdentityStatus.QUALIFIED))
    assert told.tell() == 1
    for document in told.metadata():
        other = value(document, "00101002")
        assert value(other, "00100020") == ins.value
        assert value(value(other, "00100024"), "00400032") == ins.assigner
        assert value(document, "00100020") == "IPP1"


def test_a_merge_is_no_other_patient(told: Bench) -> None:
    lab = told.lab
    lab.patient("IPP9", birth_name="MARTIN")
    lab.said_at += timedelta(seconds=1)
    kept, gone = Identity((Identifier("IPP9", "CHU"),)), Identifier("IPP1", "CHU")
    lab.do(
        lambda c: patients.merge(
            c, lab.establishment.id, kept, gone, said_at=lab.said_at, source="test"
        )
    )
    assert told.tell() == 1
    assert {value(each, "00100020") for each in told.metadata()} == {"IPP9"}
    assert told.identity().rejected == "113038"


def test_a_glass_that_moves_to_another_case_is_told_in_its_study(told: Bench) -> None:
    old = told.series()
    told.lab.case("26P00999", told.lab.patient("IPP1"))
    told.lab.asset("26P00123.A.01.01", accession_number="26P00999")
    assert told.tell() == 1
    assert {value(each, "00080050") for each in told.metadata()} == {"26P00999"}
    assert told.series().split("/")[2] != old.split("/")[2]
    assert told.series().split("/")[4] != old.split("/")[4]
    assert told.get(f"{old}/metadata").status_code == 410


def test_what_a_glass_comes_from_is_told_of_its_own_case_alone(told: Bench) -> None:
    """A block that another case has says nothing of it, be the glass or the block the one to go."""

    def said() -> tuple[Any, ...]:
        found = told.lab.do(lambda c: identities.said_of_glass(c, told.slide.id))
        assert found is not None
        return found.parent_kind, found.part_identifier, found.part_said.get("description")

    own = ("block", "26P00123.A", "sein gauche")
    assert said() == own
    told.lab.case("26P00456", told.lab.patient("IPP2", birth_name="AUTRE"))
    told.lab.asset("26P00123.A.01.01", accession_number="26P00456")
    assert said() == (None, None, None)
    told.lab.asset("26P00123.A.01.01", accession_number="26P00123")
    assert (said(), told.tell()) == (own, 0)
    told.lab.asset("26P00123.A.01", AssetKind.BLOCK, accession_number="26P00456")
    assert said() == (None, None, None)
    assert told.tell() == 1


def test_the_note_is_found_and_sent_in_the_study_of_what_it_rejects(told: Bench) -> None:
    study = f"/studies/{told.slide.study_uid}"
    (series,) = told.get(f"{study}/series?Modality=KO").json()
    uid = value(series, "0020000E")
    (instance,) = told.get(f"{study}/series/{uid}/instances").json()
    assert value(instance, "00080016") == "1.2.840.10008.5.1.4.1.1.88.59"
    note = f"{study}/series/{uid}/instances/{value(instance, '00080018')}"
    for path in (study, f"{study}/series/{uid}", note):
        (document,) = told.get(f"{path}/metadata").json()
        assert value(value(document, "0040A043"), "00080100") == "113038"
    alone = told.get(note, accept="application/dicom")
    assert pydicom.dcmread(io.BytesIO(alone.content)).Modality == "KO"
    for path in (study, f"{study}/series/{uid}"):
        parts = told.get(path, accept='multipart/related; type="application/dicom"')
        assert parts.status_code == 200
        assert parts.content.count(b"DICM") == 1
    assert told.get(f"{study}/thumbnail", accept="image/jpeg").status_code == 410
    told.lab.patient("IPP1", birth_name="MARTINEZ")
    told.tell()
    whole = told.series().rpartition("/series/")[0]
    assert len(told.get(f"{whole}/instances").json()) == len(told.slide.instances) + 1
    assert len(told.get(f"{whole}/metadata").json()) == len(told.slide.instances) + 1


def test_nothing_of_it_is_seen_from_another_establishment(told: Bench, there: Any) -> None:
    told.client = told.web.signed_in(there)
    study = f"/studies/{told.slide.study_uid}"
    for path in (f"{study}/metadata", f"{told.series()}/metadata"):
        assert told.get(path).status_code == 404
    assert told.get(f"{study}/series").json() == []
    assert told.get("/studies?PatientID=IPP1").json() == []


def test_the_laboratory_hears_of_an_image_once_it_says_whose_it_is(bench: Bench, run: Any) -> None:
    lab = bench.lab
    lab.rows(
        """insert into interface (establishment_id, name, kind, sends)
           values (%s, 'sgl', 'mllp', '{LAB-104}') returning name""",
        lab.establishment.id,
    )

    def claimed() -> Any:
        found = lab.do(lambda c: outbox_turns.claim(c, "sgl", timedelta(seconds=60)))
        return next(iter(found), None)

    run(identify(lab.database, bench.slide, []))
    assert claimed() is None
    bench.tell()
    assert claimed().is_available
    assert claimed() is None


def test_no_note_goes_on_telling_an_ins(told: Bench) -> None:
    ins = Identifier("279035121518989", "1.2.250.1.213.1.4.8", IdentifierKind.INS)
    qualified = Identity((Identifier("IPP1", "CHU"), ins), status=IdentityStatus.QUALIFIED)
    say(told, qualified)
    assert told.tell() == 1
    assert ins.value in json.dumps(told.metadata())
    say(told, replace(qualified, attributes=frozenset({IdentityAttribute.DOUBTFUL})))
    assert told.tell() == 1
    study = told.series().rpartition("/series/")[0]
    everything = told.get(f"{study}/metadata")
    assert "113038" in everything.text
    assert ins.value not in everything.text
    for row in told.lab.rows("select file from rejection_note"):
        assert ins.value.encode() not in bytes(row["file"])


def test_a_study_never_tells_of_two_patients(told: Bench) -> None:
    lab, old = told.lab, told.series()
    lab.patient("IPP1", birth_name="MARTINEZ")  # corrected words are no other person
    assert told.tell() == 1
    assert told.series() == old
    lab.case("26P00123", lab.patient("IPP2", birth_name="DURAND"))
    assert told.tell() == 1
    assert study_of(told) != old.split("/")[2]
    assert told.series().split("/")[4] != old.split("/")[4]
    assert patients_told(told, study_of(told)) == {"IPP2"}
    assert patients_told(told, old.split("/")[2]) == {"IPP1"}
    (case,) = lab.rows("select study_uid from lab_case")
    assert case["study_uid"] == study_of(told)
    lab.case("26P00123", lab.patient("IPP1"))
    assert told.tell() == 1
    assert patients_told(told, study_of(told)) == {"IPP1"}


def test_the_laboratory_hears_of_the_other_study(told: Bench) -> None:
    lab, slide_id = told.lab, told.slide.id
    lab.rows(
        """insert into interface (establishment_id, name, kind, sends)
           values (%s, 'sgl', 'mllp', '{LAB-104}') returning name""",
        lab.establishment.id,
    )
    lab.case("26P00123", lab.patient("IPP2", birth_name="DURAND"))
    assert told.tell() == 1
    (notice,) = lab.do(lambda c: outbox_turns.claim(c, "sgl", timedelta(seconds=60)))
    assert notice.is_available
    image = lab.do(lambda c: uids_of_image(c, slide_id))
    assert told.series() == f"/studies/{image.study_uid}/series/{image.series_uid}"


def test_a_merge_keeps_the_study_whichever_record_the_case_names(told: Bench) -> None:
    lab, old = told.lab, told.series()
    kept, gone = Identity((Identifier("IPP9", "CHU"),)), Identifier("IPP1", "CHU")
    other = lab.patient("IPP9", birth_name="MARTIN")
    lab.said_at += timedelta(seconds=1)
    lab.do(
        lambda c: patients.merge(
            c, lab.establishment.id, kept, gone, said_at=lab.said_at, source="test"
        )
    )
    lab.case("26P00123", other)
    assert told.tell() == 1
    assert told.series() == old
