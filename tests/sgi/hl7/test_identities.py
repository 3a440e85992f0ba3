"""PID, MRG and ZFA: every ADT sample there is, then each rule with messages of our own."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sgi.domain.ins import key_of
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
)
from sgi.hl7 import errors
from sgi.hl7.identities import SAID, identity_of, statements_of_adt
from sgi.hl7.interface import Interface
from sgi.hl7.interfaces import parse_interface
from sgi.hl7.message import parse_message
from sgi.hl7.statements import (
    IdentifierChanged,
    PatientSaid,
    PatientsLinked,
    PatientsMerged,
    Statement,
)

OID = "1.2.250.1.213.1.4"
INS = Identifier("279035121518989", f"{OID}.10", IdentifierKind.INS)
INS_CX = f"279035121518989^^^ASIP-SANTE-INS-NIR&{OID}.10&ISO^INS^^20240306"
NAMES = "DUPONT^CAMILLE^CAMILLE ROSE^^^^L~MARTIN^ROSE^^^^^D"


def interface(**patients: object) -> Interface:
    return parse_interface({"patients": patients}, "own.toml", "own")


OWN = interface(assigner="LABO")


def ipp(value: str, assigner: str = "CHU-X") -> Identifier:
    return Identifier(value, assigner)


def pid(identifiers: str = "1^^^CHU-X^PI", **fields: str) -> str:
    """A PID with its fields by number: `f8="F"`."""
    values = {3: identifiers, 5: NAMES} | {int(name[1:]): value for name, value in fields.items()}
    return "PID|" + "|".join(values.get(number, "") for number in range(1, 40))


def adt(*lines: str, event: str = "A31", processing: str = "T") -> bytes:
    header = f"MSH|^~\\&|GAM|X|SGI|X|20260612101500||ADT^{event}|C1|{processing}|2.5"
    return "\r".join([header, "EVN||20260612090000", *lines]).encode()


def read(
    *lines: str, event: str = "A31", processing: str = "T", by: Interface = OWN
) -> tuple[list[Statement], list[str]]:
    notes: list[str] = []
    message = parse_message(adt(*lines, event=event, processing=processing))
    return statements_of_adt(message, by, notes), notes


def said(*lines: str, **rest: str) -> Identity:
    (statement,), _ = read(*lines, **rest)  # type: ignore[arg-type]
    assert isinstance(statement, PatientSaid)
    return statement.identity


def notes_of(*lines: str, **rest: str) -> list[str]:
    return read(*lines, **rest)[1]  # type: ignore[arg-type]


# Samples of others --------------------------------------------------------------------------------

PAT_TROIS = Traits(
    birth_name="PAT-TROIS",
    first_given_name="DOMINIQUE",
    given_names="DOMINIQUE",
    sex="F",
    birth_date=date(1979, 3, 28),
    birth_place="63220",
    died=False,
)
THIRD = ipp("000003")
CONSENTS = {
    "ConsentementConsultation_NonOppositionAlimentation": ("INO", "IC"),
    "NonConsentementConsultation_NonOppositionAlimentation": ("INO", "INC"),
    "NonConsentementConsultation_OppositionAlimentation": ("IO", "INC"),
    "NonRecueillieConsentementConsultation_NonOppositionAlimentation": ("INO", "NA"),
    "NonRecueillieConsentementConsultation_NonRecueillieOppositionAlimentation": ("NA", "NA"),
    "admission": ("INO", "IC"),
    "sortie": None,
}


def sample(path: Path) -> list[Statement]:
    notes: list[str] = []
    found = statements_of_adt(parse_message(path.read_bytes()), OWN, notes)
    assert notes == []
    return found


def test_every_official_admission_and_discharge(interop: Path) -> None:
    paths = {path.stem: path for path in (interop / "hl7v2").rglob("*.er7")}
    for name, consent in CONSENTS.items():
        dmp = consent and Dmp("ACTIF", DmpFeeding(consent[0]), DmpReading(consent[1]))
        identity = Identity((THIRD, INS), PAT_TROIS, IdentityStatus.QUALIFIED, dmp=dmp or None)
        assert sample(paths[name]) == [PatientSaid(identity, "A03" if name == "sortie" else "A01")]


def test_every_synthetic_one(interop: Path) -> None:
    known = {path.name[:3]: path for path in (interop / "synthetic").glob("P0*.hl7")}
    found = {name: sample(path)[0] for name, path in known.items()}
    assert sorted(found) == [f"P0{number}" for number in range(1, 8)]
    for name, event in (("P01", "A01"), ("P03", "A31"), ("P06", "A03"), ("P07", "A13")):
        statement = found[name]
        assert isinstance(statement, PatientSaid)
        assert statement.event == event
        assert statement.identity.identifiers == (THIRD, INS)
        assert statement.identity.status is IdentityStatus.QUALIFIED
        assert statement.identity.traits.given_names == "DOMINIQUE MARIE"
    new = found["P02"]
    assert isinstance(new, PatientSaid)
    assert new.identity.identifiers == (ipp("000009"),)
    assert new.identity.status is IdentityStatus.PROVISIONAL
    merged, changed = found["P04"], found["P05"]
    assert isinstance(merged, PatientsMerged)
    assert (merged.kept.local, merged.gone) == (THIRD, (ipp("000009"),))
    assert isinstance(changed, IdentifierChanged)
    assert (changed.new.local, changed.old) == (THIRD, (ipp("000008"),))


# PID ----------------------------------------------------------------------------------------------


def test_traits() -> None:
    identity = said(
        pid(
            f7="197903280000",
            f8="F",
            f11="1 rue^^PARIS^^75007^FRA^H~^^^^^^BDL^^2a004",
            f30="Y",
        )
    )
    assert identity.traits == Traits(
        "DUPONT", "CAMILLE", "CAMILLE ROSE", "MARTIN", "ROSE", "F", date(1979, 3, 28), "2A004", True
    )


@pytest.mark.parametrize("event", sorted(SAID))
def test_every_event_that_says_who_a_patient_is(event: str) -> None:
    (statement,), _ = read(pid(), event=event)
    assert statement == PatientSaid(said(pid()), event)


@pytest.mark.parametrize("event", ["A60", "A45", "", "a31"])
def test_other_events_are_refused(event: str) -> None:
    with pytest.raises(errors.UnsupportedEventError):
        read(pid(), event=event)


@pytest.mark.parametrize(
    ("field", "used"),
    [
        ("B^A^A^^^^L", ("B", None)),
        ("U^V^^^^^D~B^A^A^^^^L", ("B", "U")),
        ("B^A", ("B", None)),
        ("X^Y~B^A^^^^^L", ("B", None)),
        ("U^V^^^^^D", (None, "U")),
        ("M^N^^^^^M", (None, None)),
        ("LE&LE^A^^^^^L", ("LE", None)),
        ("  LE   GALL ^A^^^^^L", ("LE GALL", None)),
    ],
)
def test_names_by_their_types(field: str, used: tuple[str | None, str | None]) -> None:
    traits = said(pid(f5=field)).traits
    assert (traits.birth_name, traits.used_name) == used


@pytest.mark.parametrize(
    ("code", "sex"), [("M", "M"), ("A", "O"), ("N", "U"), ("I", "U"), ("", None), ("x", None)]
)
def test_the_sex(code: str, sex: str | None) -> None:
    assert said(pid(f8=code)).traits.sex == sex
    assert bool(notes_of(pid(f8=code))) is (code == "x")


@pytest.mark.parametrize("text", ["1979", "197903", "19790300", "19790000"])
def test_a_birth_date_that_is_no_whole_date_is_left_aside(text: str) -> None:
    assert said(pid(f7=text)).traits.birth_date is None
    (note,) = notes_of(pid(f7=text))
    assert note.startswith("PID-7 ")
    assert "1979" not in note


@pytest.mark.parametrize(
    "text",
    ["19791345", "x", "28/03/1979", "00010101", "17000101", "17530101", "18491231", "29990101"],
)
def test_a_birth_date_that_is_none_is_refused(text: str) -> None:
    """Without it the patient would go on bearing another, or none: nobody would look."""
    with pytest.raises(errors.WrongTypeError) as raised:
        read(pid(f7=text))
    assert str(raised.value.location) == "PID-7"
    assert text not in str(raised.value)


def test_a_birth_place_that_is_no_insee_code() -> None:
    field = "^^^^^^BDL^^632~^^^^^^BDL^^99350"
    assert said(pid(f11=field)).traits.birth_place == "99350"
    assert notes_of(pid(f11=field))[0].startswith("PID-11.9 ")


@pytest.mark.parametrize(
    ("f29", "f30", "died"),
    [("", "", None), ("", "N", False), ("2026", "", True), ("2026", "N", False), ("", "Y", True)],
)
def test_whether_the_patient_died(f29: str, f30: str, died: bool | None) -> None:
    assert said(pid(f29=f29, f30=f30)).traits.died is died


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "20260230",
        "0000",
        "00000000",
        "17000101",
        "1700",
        "1900",
        "2999",
        "299901",
        "29990101",
        "19790327",
    ],
)
def test_a_day_of_death_that_cannot_be_says_nothing(text: str) -> None:
    assert said(pid(f7="19790328", f29=text)).traits.died is None
    (note,) = notes_of(pid(f7="19790328", f29=text))
    assert note.startswith("PID-29 ")
    assert text not in note
    told = pid(f7="19790328", f29=text, f30="Y")
    assert said(told).traits.died is True, "PID-30 says so itself"
    ((statement,), _) = read(told)
    assert statement.died_on is None


@pytest.mark.parametrize("text", ["1979", "197903", "19790328", "20260612", "20260600"])
def test_a_day_of_death_may_be_known_in_part(text: str) -> None:
    assert said(pid(f7="19790328", f29=text)).traits.died is True
    assert notes_of(pid(f7="19790328", f29=text)) == []


def test_the_codes_of_reliability() -> None:
    identity = said(pid(f"1^^^CHU-X^PI~{INS_CX}", f32="HOMA~VALI~CACH"))
    assert identity.status is IdentityStatus.QUALIFIED
    assert identity.attributes == {IdentityAttribute.HOMONYM}
    doubtful = pid(f"1^^^CHU-X^PI~{INS_CX}", f32="DOUT~VALI")
    assert said(doubtful).status is IdentityStatus.PROVISIONAL
    assert len(notes_of(doubtful)) == 1


# Identifiers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("1^^^CHU-X&000897406&N^PI", [ipp("1")]),
        ("1^^^&000897406&N^PI", [ipp("1", "000897406")]),
        ("1^^^^PI", [ipp("1", "LABO")]),
        ("1", [ipp("1", "LABO")]),
        ("1^^^CHU-X^PI~2^^^CHU-X^PI~A^^^GHT^PI", [ipp("1"), ipp("2"), ipp("A", "GHT")]),
        ("1^^^CHU-X^PI~1^^^CHU-X^PI", [ipp("1")]),
        ("1^^^A&1.2&ISO^PI~1^^^B&1.2&ISO^PI~1^^^A&1.3&ISO^PI", [ipp("1", "A"), ipp("1", "A")]),
        ("24^^^CHU-X^AN~1^^^CHU-X^PI~7^^^CHU-X^VN", [ipp("1")]),
        (f"1^^^CHU-X^PI~{INS_CX}", [ipp("1"), INS]),
        (f"{INS_CX}~1^^^CHU-X^PI", [ipp("1"), INS]),
        ("^^^CHU-X^PI~1^^^CHU-X^PI", [ipp("1")]),
        (r"A\T\B^^^CHU-X^PI", [ipp("A&B")]),
        ("00001^^^CHU-X^PI", [ipp("00001")]),
    ],
)
def test_identifiers(field: str, found: Sequence[Identifier]) -> None:
    assert said(pid(field)).identifiers == tuple(found)


@pytest.mark.parametrize("field", ["", "24^^^CHU-X^AN", "~~", '""'])
def test_an_event_without_any_is_refused_and_an_order_is_not(field: str) -> None:
    with pytest.raises(errors.MissingFieldError) as raised:
        read(pid(field))
    assert str(raised.value.location) == "PID-3"
    order = adt(pid(field)).replace(b"ADT^A31", b"ORM^O01")
    assert identity_of(parse_message(order), OWN).identifiers == ()


@pytest.mark.parametrize("type_", [b"ADT^A31", b"ADT^A03", b"ORM^O01", b"ORU^R01", b"MDM^T02"])
def test_one_patient_a_message(type_: bytes) -> None:
    two = adt(pid("1^^^CHU-X^PI"), pid("2^^^CHU-X^PI")).replace(b"ADT^A31", type_)
    with pytest.raises(errors.SegmentSequenceError) as raised:
        identity_of(parse_message(two), OWN)
    assert str(raised.value.location) == "PID[2]-1"


@pytest.mark.parametrize("value", ["x" * 251, "1\\X0A\\2"])
def test_identifiers_that_cannot_be_kept(value: str) -> None:
    with pytest.raises(errors.WrongTypeError) as raised:
        read(pid(f"{value}^^^CHU-X^PI"))
    assert "xx" not in str(raised.value)


def cx(value: str = "279035121518989", root: str = f"{OID}.8", kind: str = "INS") -> str:
    return f"1^^^CHU-X^PI~{value}^^^ASIP-SANTE-INS-NIR&{root}&ISO^{kind}"


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (cx("279035121518988"), errors.InsIncompleteError),
        (cx("2790351215189"), errors.InsIncompleteError),
        (cx("2 79 03 51 215 189 89"), errors.InsIncompleteError),
        (cx(root=""), errors.InsIncompleteError),
        (cx(root="1.2.3"), errors.InsIncompleteError),
        (cx("279035121518988", kind=""), errors.InsIncompleteError),
        (f"{cx()}~{cx('274075176079430')}", errors.InsMismatchError),
    ],
)
def test_an_ins_that_is_not_sound_is_refused(field: str, kind: type[errors.MessageError]) -> None:
    with pytest.raises(kind) as raised:
        read(pid(field))
    assert str(raised.value.location).startswith("PID-3")
    assert "27903" not in str(raised.value)


def test_the_place_of_an_ins_is_told_to_its_repetition() -> None:
    with pytest.raises(errors.InsIncompleteError, match=r"^PID-3\[2\]"):
        read(pid(cx("279035121518988")))


def test_an_ins_c_is_no_ins() -> None:
    identity = said(pid(cx("1234567890123456789012", f"{OID}.2"), f32="VALI"))
    assert identity.ins is None
    assert identity.status is IdentityStatus.VALIDATED
    assert "INS-C" in notes_of(pid(cx("12", f"{OID}.2", "INS-C")))[0]


def test_a_number_for_good_goes_before_one_for_a_while() -> None:
    field = f"{cx(root=f'{OID}.9')}~{cx('274075176079430')}"
    found = said(pid(field)).ins
    assert found == Identifier("274075176079430", f"{OID}.8", IdentifierKind.INS)


def test_an_ins_that_ended_before_the_message_is_past() -> None:
    field = f"1^^^CHU-X^PI~274075176079430^^^N&{OID}.8&ISO^INS^^20200101^20260611~{cx()[13:]}"
    assert said(pid(field)).ins == Identifier("279035121518989", f"{OID}.8", IdentifierKind.INS)


def test_one_that_begins_with_neither_1_nor_2_is_looked_at() -> None:
    number = "7790351215189"
    field = cx(f"{number}{key_of(number):02}")
    assert said(pid(field)).ins is not None
    assert "neither 1 nor 2" in notes_of(pid(field))[0]


@pytest.mark.parametrize(
    ("processing", "test_ins", "taken"),
    [("P", False, False), ("P", True, True), ("T", False, True), ("D", False, True)],
)
def test_the_ins_of_test_is_taken_where_it_may_be(
    processing: str, test_ins: bool, taken: bool
) -> None:
    field = pid(f"1^^^CHU-X^PI~{INS_CX}", f32="VALI")
    by = interface(test_ins=test_ins)
    (statement,), notes = read(field, processing=processing, by=by)
    assert isinstance(statement, PatientSaid)
    assert (statement.identity.ins == INS) is taken
    assert (statement.identity.status is IdentityStatus.QUALIFIED) is taken
    assert bool(notes) is not taken


# ZFA ----------------------------------------------------------------------------------------------


def test_consent_that_is_not_known_is_left_aside() -> None:
    zfa = "ZFA|ACTIF|20260101|||||||XX||IC"
    assert said(pid(), zfa).dmp == Dmp("ACTIF", None, DmpReading.CONSENTED)
    assert notes_of(pid(), zfa)[0].startswith("ZFA-9 ")
    assert said(pid(), "ZFA|").dmp is None


# How identities come together ---------------------------------------------------------------------


def test_several_merges_in_one_message() -> None:
    statements, _ = read(
        pid("3^^^CHU-X^PI"),
        "MRG|9^^^CHU-X^PI",
        pid("4^^^CHU-X^PI"),
        "MRG|8^^^CHU-X^PI",
        event="A40",
    )
    merges = [s for s in statements if isinstance(s, PatientsMerged)]
    assert [(s.kept.local, s.gone) for s in merges] == [
        (ipp("3"), (ipp("9"),)),
        (ipp("4"), (ipp("8"),)),
    ]


def test_all_identifiers_of_who_goes_go() -> None:
    mrg = "MRG|A^^^GHT^PI~9^^^CHU-X^PI~7^^^CHU-X^AN~8^^^CHU-X^PI"
    (merge,), _ = read(pid(), mrg, event="A40")
    assert isinstance(merge, PatientsMerged)
    assert merge.gone == (ipp("A", "GHT"), ipp("9"), ipp("8"))


@pytest.mark.parametrize("event", ["A40", "A47"])
def test_merges_and_changes_need_both_sides(event: str) -> None:
    for lines, kind, place in [
        ([pid()], errors.SegmentSequenceError, "MRG"),
        ([pid(), "MRG|9^^^CHU-X^PI", pid()], errors.SegmentSequenceError, "MRG[2]"),
        ([], errors.SegmentSequenceError, "PID"),
        ([pid(), "MRG|"], errors.MissingFieldError, "MRG-1"),
        ([pid(INS_CX), "MRG|9^^^CHU-X^PI"], errors.MissingFieldError, "PID-3"),
    ]:
        with pytest.raises(kind) as raised:
            read(*lines, event=event)
        assert str(raised.value.location) == place


def test_a_change_names_all_that_was_borne_before() -> None:
    statements, _ = read(pid("3^^^CHU-X^PI"), "MRG|A^^^GHT^PI~8^^^CHU-X^PI", event="A47")
    (change,) = statements
    assert isinstance(change, IdentifierChanged)
    assert (change.new.local, change.old) == (ipp("3"), (ipp("A", "GHT"), ipp("8")))


def test_a_change_of_the_ins_is_a_word_on_the_identity() -> None:
    field = f"3^^^CHU-X^PI~{INS_CX}"
    mrg = f"MRG|3^^^CHU-X^PI~274075176079430^^^N&{OID}.10&ISO^INS"
    statements, _ = read(pid(field, f32="VALI"), mrg, event="A47")
    assert statements == [PatientSaid(said(pid(field, f32="VALI")), "A47")]


@pytest.mark.parametrize(("event", "linked"), [("A24", True), ("A37", False)])
def test_links_and_their_ends(event: str, linked: bool) -> None:
    one, other = "5^^^LAB^PI~1^^^CHU-X^PI", "2^^^CHU-X^PI"
    statements, _ = read(pid(one), "PV1|1|N", pid(other), event=event)
    assert statements == [PatientsLinked((ipp("5", "LAB"), ipp("1")), (ipp("2"),), linked)]
    for count in (0, 1, 3):
        with pytest.raises(errors.SegmentSequenceError):
            read(*[pid()] * count, event=event)


@pytest.mark.parametrize("event", ["A01", "A31", "A40", "A47", "A24"])
def test_damage_is_statements_or_an_error_of_the_message(event: str) -> None:
    whole = adt(
        pid(f"1^^^CHU-X^PI~{INS_CX}", f7="19790328", f8="F", f11="^^^^^^BDL^^63220", f32="VALI"),
        "MRG|9^^^CHU-X^PI",
        "ZFA|ACTIF|20260101|||||||INO||IC",
        pid("2^^^CHU-X^PI"),
        event=event,
    )
    chance = random.Random(event)
    told = []
    for _ in range(400):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(20, len(raw))
            raw[place : place + chance.randrange(3)] = chance.choice(
                [b"|", b"^", b"~", b"&", b"\\", b"\r", b'""', b"\xff", b"0", b"\\X00\\", b""]
            )
        try:
            statements_of_adt(parse_message(bytes(raw)), OWN, [])
        except errors.MessageError as error:
            told.append(str(error))
    assert told
    assert not any(secret in text for text in told for secret in ("DUPONT", "27903512"))


def test_said_of_now() -> None:
    """The future is refused by today's date, which no test should wait for."""
    assert said(pid(f7=datetime.now(UTC).strftime("%Y%m%d"))).traits.birth_date is not None
