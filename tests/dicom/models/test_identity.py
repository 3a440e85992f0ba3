import uuid

import pytest

from dicom.models import Patient, SlideIdentity, Study

SLIDE = uuid.UUID("11111111-2222-4333-8444-555555555555")


def test_uids_depend_on_the_slide_alone() -> None:
    one = SlideIdentity(SLIDE)
    again = SlideIdentity(SLIDE, container_identifier="24H1", patient=Patient("A^B"))
    other = SlideIdentity(uuid.uuid4())
    assert one.series_uid == again.series_uid != other.series_uid
    assert one.instance_uid("level-0") == again.instance_uid("level-0")


def test_uids_of_a_slide_all_differ() -> None:
    identity = SlideIdentity(SLIDE)
    uids = [
        identity.study_uid,
        identity.series_uid,
        identity.frame_of_reference_uid,
        identity.pyramid_uid,
        identity.dimension_organization_uid,
        identity.specimen_uid("a"),
        identity.instance_uid("a"),
    ]
    assert len(set(uids)) == len(uids)


def test_slides_of_a_case_share_its_study() -> None:
    assert SlideIdentity(SLIDE, study=Study(uid="1.2.3")).study_uid == "1.2.3"


def test_identifiers_are_never_cut() -> None:
    with pytest.raises(ValueError, match="accession number"):
        Study(accession_number="x" * 17)
    with pytest.raises(ValueError, match="study UID"):
        Study(uid="1.2.x")
    with pytest.raises(ValueError, match="container"):
        SlideIdentity(SLIDE, container_identifier="a\\b")
    with pytest.raises(ValueError, match="specimen"):
        SlideIdentity(SLIDE, specimen_identifiers=("",))
    with pytest.raises(ValueError, match="patient"):
        Patient(identifier="x" * 65)
