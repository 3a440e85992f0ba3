"""Reading messages: encodings, delimiters, escapes, line ends, paths; and writing them."""

import random
from datetime import UTC, datetime
from pathlib import Path

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.hl7.acknowledge import answer
from sgi.hl7.batches import split_messages
from sgi.hl7.encodings import Charset, charset_named
from sgi.hl7.errors import (
    Location,
    MessageError,
    MessageTooLargeError,
    MissingFieldError,
    SegmentSequenceError,
    UnreadableMessageError,
    WrongTypeError,
)
from sgi.hl7.escapes import USUAL, Delimiters, escape, unescape
from sgi.hl7.message import Message, find, parse_message, paths
from sgi.hl7.writing import header, segment, write_message

MSH = r"MSH|^~\&|SGL|CHU-X|SGI|CHU-X|20260612101500+0200||OML^O21^OML_O21|T03|T|2.5.1|||||FRA|"
PID = (
    "PID|1||000003^^^CHU-X&000897406&N^PI~279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10"
    "&ISO^INS||PAT-TROIS^DOMINIQUE^DOMINIQUE MARIE^^^^L~NOM^D^^^^^D||19790328|F"
)


def message(*segments: str, said: str = "UNICODE UTF-8", codec: str = "utf-8") -> bytes:
    return "".join(f"{line}\r" for line in (MSH + said, *segments)).encode(codec)


def test_values_where_they_are() -> None:
    read = parse_message(message(PID, "SPM|1|^26P1.A.1|", "SPM|2|P2^26P1.A.2"))
    assert (read.code, read.event, read.type) == ("OML", "O21", "OML^O21")
    assert (read.control_id, read.sender) == ("T03", "SGL|CHU-X")
    assert [one.name for one in read] == ["MSH", "PID", "SPM", "SPM"]
    pid = read.required("PID")
    identifiers = pid.field(3).repetitions
    assert [one.value() for one in identifiers] == ["000003", "279035121518989"]
    assert identifiers[1].component(4).subcomponent(2) == "1.2.250.1.213.1.4.10"
    assert identifiers[1].value(4, 9) is None
    assert pid.field(3).first.component(1).value == "000003"
    assert pid.field(3).repetition(3).value() is None
    assert pid.value(5, 2) == pid.field(5).component(2) == "DOMINIQUE"
    assert read.value("PID-5[2].7") == "D"
    assert read.value("PID-3[2].4.2") == "1.2.250.1.213.1.4.10"
    assert read.value("SPM-2.2|SPM-2.1|OBR-13") == "26P1.A.1"
    assert read.value("OBR-13|SPM-2") == "P2"
    assert [one.sequence for one in read.segments("SPM")] == [1, 2]
    assert read.segments("ZZZ") == []
    assert read.segment("ZZZ") is None
    assert find("SPM-2.2", read.segments("SPM")[1:]) == "26P1.A.2"


def test_what_is_not_there_is_none_and_raises_nothing() -> None:
    read = parse_message(message(PID))
    pid = read.required("PID")
    for number in (-1, 0, 4, 99, 10**9):
        assert pid.value(number) is None
        assert not pid.field(number)
        assert pid.field(number).text is None
    assert pid.value(3, 99) is None
    assert pid.value(3, 0) is None
    assert pid.field(3).repetition(0).raw == ""
    assert read.profiles == []


def test_the_header_counts_its_separator() -> None:
    msh = parse_message(message()).header
    assert (msh.field(1).value, msh.field(2).value) == ("|", "^~\\&")
    assert [one.raw for one in msh.field(2).repetitions] == ["^~\\&"]
    assert msh.value(3) == "SGL"
    assert len(msh) == 18


def test_what_is_to_be_forgotten_is_told_from_what_is_not_said() -> None:
    pid = parse_message(message('PID|1||""|""|a^""|')).required("PID")
    assert pid.field(3).null
    assert pid.field(3)
    assert pid.value(3) is pid.field(3).text is None
    assert pid.value(5, 2) is None
    assert not pid.field(6).null


def test_what_must_be_there() -> None:
    read = parse_message(message(PID, "SPM|1", "SPM|2"))
    with pytest.raises(MissingFieldError) as missing:
        read.segments("SPM")[1].required(2, 1)
    assert missing.value.location == Location("SPM", 2, 2)
    assert str(missing.value) == "SPM[2]-2 is empty; it is required."
    with pytest.raises(SegmentSequenceError, match="no OBR segment") as absent:
        read.required("OBR")
    assert absent.value.location == Location("OBR")


def test_groups_begin_where_they_are_said_to() -> None:
    read = parse_message(message(PID, "ORC|1", "OBR|1", "ORC|2", "SPM|2", "OBX|2"))
    groups = [[one.name for one in group] for group in read.groups("ORC")]
    assert groups == [["ORC", "OBR"], ["ORC", "SPM", "OBX"]]
    assert read.groups("ZZZ") == []


def test_delimiters_are_those_of_the_message() -> None:
    raw = b"MSH#*%!@#SGL#X###20260612##ADT*A08#1\rPID#1##7***A@B@N*PI%8##N|!S!M*P"
    read = parse_message(raw)
    assert read.delimiters == Delimiters("#", "*", "%", "!", "@")
    assert read.value("PID-3[2]") == "8"
    assert read.value("PID-3.4.2") == "B"
    assert read.value("PID-5") == "N|*M"
    assert read.type == "ADT^A08"


@pytest.mark.parametrize(
    ("second", "fine"),
    [
        (r"^~\&", True), (r"^~\&#", True), (r"^~\&#!", False), (r"^~\^", False), (r"^~&", False),
        ("", False), ("ABCD", False), ('^~"&', False), (r"^~\|", False), ("é~\\&", False),
        (r"^.\&", False),
    ],
)  # fmt: skip
def test_delimiters_must_be_able_to_delimit(second: str, fine: bool) -> None:
    raw = f"MSH|{second}|SGL|||||ADT^A08".encode()
    if fine:
        assert parse_message(raw).header.value(3) == "SGL"
    else:
        with pytest.raises(WrongTypeError) as error:
            parse_message(raw)
        assert error.value.location == Location("MSH", field=2)


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"PID|1", b"{}", b"\x16\x03\x01", b"msh|^~\\&|"])
def test_what_is_no_message(raw: bytes) -> None:
    with pytest.raises(UnreadableMessageError):
        parse_message(raw)


@pytest.mark.parametrize("raw", [b"MSH", b"MSH|", b"MSH|^", b"MSH|^~\\", b"MSH||||"])
def test_the_beginning_of_a_header_is_no_message(raw: bytes) -> None:
    with pytest.raises(MessageError):
        parse_message(raw)


# Encodings


@pytest.mark.parametrize(
    ("said", "codec", "charset"),
    [
        ("UNICODE UTF-8", "utf-8", Charset.UTF_8),
        ("UTF-8", "utf-8", Charset.UTF_8),
        ("unicode utf-8~8859/1", "utf-8", Charset.UTF_8),
        ("8859/1", "latin-1", Charset.LATIN_1),
        ("8859/15", "iso8859-15", Charset.LATIN_9),
        ("ISO-8859-15", "iso8859-15", Charset.LATIN_9),
        ("", "utf-8", Charset.UTF_8),
        ('""', "utf-8", Charset.UTF_8),
        ("", "iso8859-15", Charset.LATIN_9),
        ("ASCII", "utf-8", Charset.UTF_8),
    ],
)
def test_encodings(said: str, codec: str, charset: Charset) -> None:
    read = parse_message(message("PID|1||||BÉRÉNICE^ÇA", said=said, codec=codec))
    assert read.value("PID-5") == "BÉRÉNICE"
    assert read.value("PID-5.2") == "ÇA"
    assert read.charset is charset


def test_latin_1_is_what_windows_writes() -> None:
    raw = message("PID|1||||X", said="8859/1").replace(b"||||X", b"||||C\x9cur d\x92or \x80\x81")
    assert parse_message(raw).value("PID-5") == "Cœur d’or €\x81"


def test_the_euro_is_where_latin_9_has_it() -> None:
    raw = message("PID|1||||X", said="8859/15").replace(b"||||X", b"||||\xa4\xbd")
    assert parse_message(raw).value("PID-5") == "€œ"


@pytest.mark.parametrize("said", ["UNICODE UTF-16", "GB 18030-2000", "ISO IR87", "8859/5"])
def test_other_encodings_are_refused_by_name(said: str) -> None:
    with pytest.raises(UnreadableMessageError) as error:
        parse_message(message(said=said))
    assert error.value.location == Location("MSH", field=18)


def test_names_are_never_guessed_at() -> None:
    raw = message("PID|1||||BÉRÉNICE", codec="latin-1")
    with pytest.raises(UnreadableMessageError, match="not in the encoding"):
        parse_message(raw)
    assert parse_message(raw, in_spite=Charset.LATIN_1).value("PID-5") == "BÉRÉNICE"


def test_an_interface_may_know_better_where_nothing_is_said() -> None:
    raw = message("PID|1||||é", said="", codec="utf-8")
    assert parse_message(raw, unnamed=[Charset.LATIN_1]).value("PID-5") == "Ã©"


def test_a_mark_of_byte_order_is_passed_over() -> None:
    assert parse_message(b"\xef\xbb\xbf\r\n" + message(PID)).value("PID-7") == "19790328"


def test_no_encoding_is_named() -> None:
    assert charset_named("") is None


# Line ends


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\r", "\n", "\r\n\r\n"])
def test_line_ends(end: str, last: str) -> None:
    text = end.join([f"{MSH}UNICODE UTF-8", PID, "SPM|1|A"]) + last
    read = parse_message(text.encode())
    assert [one.name for one in read] == ["MSH", "PID", "SPM"]
    assert read.value("SPM-2") == "A"
    assert read.value("PID-8") == "F"


def test_a_line_end_within_a_field_is_a_line_of_it() -> None:
    read = parse_message(message("OBX|1|TX|C\n^deux\nlignes||N", PID))
    assert [one.name for one in read] == ["MSH", "OBX", "PID"]
    assert read.value("OBX-3.2") == "deux\nlignes"
    assert read.value("OBX-5") == "N"


def test_in_a_file_of_lf_too() -> None:
    raw = message("OBX|1|CE|X^Non visible\r||N", "OBX|2|CE|Y").replace(b"\r", b"\n")
    read = parse_message(raw)
    assert [one.value(3) for one in read.segments("OBX")] == ["X", "Y"]
    assert read.value("OBX-5") == "N"


def test_a_line_of_text_is_no_segment_because_it_looks_like_one() -> None:
    """Within CR, a lone LF ends nothing: nobody's text becomes another patient's PID."""
    read = parse_message(message(PID, "OBX|1|TX|A||texte\nPID|1||666"))
    assert len(read.segments("PID")) == 1
    assert read.value("OBX-5") == "texte\nPID"


# Escapes


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"\X41\\X42C3A9\\XE2\\X82AC\.", "ABé€."),
        (r"un\.br\deux\.sp2\trois\.ce\x\.sk3\y", "un\ndeux\n\ntrois\nx   y"),
        (r"\.in+4\a\.fi\b\.nf\\.ti-2\c", "abc"),
        (r"\H\gras\N\ clair", "gras clair"),
        (r"C:\scans\26P1", r"C:\scans\26P1"),
        (r"\Z1\ \C2842\ \M202242\ \.xx\ \X4\ \Xzz\ ", r"\Z1\ \C2842\ \M202242\ \.xx\ \X4\ \Xzz\ "),
        ("\\", "\\"),
        (r"\\", r"\\"),
        (r"\X00\a", "\ufffda"),
        (r"\X0D0A\a\X0D\b", "\na\nb"),
        (r"\E\F\E\ ", r"\F\ "),
        (r"\.sp999\x", "\n" * 80 + "x"),
    ],
)
def test_escapes(raw: str, text: str) -> None:
    assert unescape(raw, USUAL, "utf-8") == text


def test_bytes_in_escapes_are_in_the_encoding_of_the_message() -> None:
    assert unescape(r"\XE9\ ", USUAL, "iso8859-15") == "é "
    assert unescape(r"\XE9\ ", USUAL, "utf-8") == "\ufffd "


@given(st.text(st.characters(blacklist_categories=["Cc", "Cs"])))
def test_what_is_escaped_comes_back(text: str) -> None:
    written = escape(text)
    assert not set("|^~&\r\n") & set(written)
    assert unescape(written, USUAL, "utf-8") == text


@given(st.text(), st.sampled_from(["utf-8", "iso8859-15"]))
def test_nothing_breaks_the_reader_of_escapes(text: str, codec: str) -> None:
    assert "\x00" not in unescape(text.replace("a", "\\").replace("b", "\\X"), USUAL, codec)


def test_a_text_may_hold_delimiters_that_nobody_escaped() -> None:
    obx = parse_message(message(r"OBX|1|TX|A||ratio 1^2 & 3\E\4~ligne deux~")).required("OBX")
    assert obx.field(5).text == "ratio 1^2 & 3\\4\nligne deux"
    assert obx.value(5) == "ratio 1"


# Limits


def test_too_many_segments() -> None:
    with pytest.raises(MessageTooLargeError, match="more than 20000 segments"):
        parse_message(message() + b"OBX|1\r" * 20_000)
    assert len(list(parse_message(message() + b"OBX|1\r" * 19_000))) == 19_001


@pytest.mark.parametrize("letter", ["|", "~", "^", "&", "|~^&"])
def test_too_many_parts(letter: str) -> None:
    with pytest.raises(MessageTooLargeError) as error:
        parse_message(message("OBX|" + letter * 200_000))
    assert error.value.location == Location("OBX")


def test_a_whole_document_is_read_at_once() -> None:
    content = "A" * (48 << 20)
    read = parse_message(message(f"OBX|1|ED|X||^TEXT^XML^Base64^{content}||||||F"))
    assert read.value("OBX-5.5") == content
    assert read.value("OBX-11") == "F"


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_nothing_but_its_own_errors_comes_out(junk: bytes, at: int, byte: int) -> None:
    whole = message(PID, "SPM|1|A&B^C|", r"OBX|1|TX|\X41\||é~\.br\^")
    for raw in (whole[:at] + junk + whole[at:], whole[:at] + bytes([byte]) + whole[at + 1 :]):
        try:
            read = parse_message(raw)
        except MessageError:
            continue
        walk(read)


def walk(read: Message) -> None:
    for one in read:
        for number in range(len(one) + 2):
            field = one.field(number)
            assert field.text is None or "\x00" not in field.text
            for repetition in field.repetitions:
                for component in repetition.components:
                    assert component.value is None or "\x00" not in component.value


# Paths


def test_paths() -> None:
    found = paths(" SPM-2.2 |PID-3[2].4.2|OBR-13")
    assert [(p.segment, p.field, p.repetition, p.component, p.subcomponent) for p in found] == [
        ("SPM", 2, 1, 2, 1), ("PID", 3, 2, 4, 2), ("OBR", 13, 1, 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "written",
    ["", "SPM", "SPM-0", "SPM.2", "spm-2", "SPM-2|", "SPM-2.x", "S-1", "SPM-1234", "SPM-٣"],
)
def test_what_is_no_path(written: str) -> None:
    with pytest.raises(WrongTypeError, match="is no path"):
        paths(written)


# Writing


def test_a_message_is_written_as_others_read_it() -> None:
    sent_at = datetime(2026, 6, 12, 8, 15, tzinfo=UTC)
    msh = header(
        sender=("SGI", "CHU-X"), receiver=("SGL", "CHU & fils"), sent_at=sent_at,
        type_=("OML", "O21", "OML_O21"), control_id="T07", profiles=("DPOW-IMAGE-NOTIF", "IHE"),
    )  # fmt: skip
    pid = segment("PID", {
        3: [("000003", None, None, ("CHU-X", "000897406", "N"), "PI"), ("1", *[None] * 3, "INS")],
        5: ("O'NEIL|É^", "A&B\nC\x0b\x1c", None, None),
        8: None,
    })  # fmt: skip
    assert msh == (
        r"MSH|^~\&|SGI|CHU-X|SGL|CHU \T\ fils|20260612081500+0000||OML^O21^OML_O21|T07|P|2.5.1"
        "|||||FRA|UNICODE UTF-8|||DPOW-IMAGE-NOTIF^IHE"
    )
    assert pid == (r"PID|||000003^^^CHU-X&000897406&N^PI~1^^^^INS||O'NEIL\F\É\S\^A\T\B\.br\C")
    raw = write_message([msh, pid])
    assert raw.endswith(b"C\r")
    read = parse_message(raw)
    assert read.value("PID-5") == "O'NEIL|É^"
    assert read.value("PID-5.2") == "A&B\nC"
    other = hl7.parse(raw.decode())
    assert other.extract_field("PID", 1, 3, 1, 4, 2) == "000897406"
    assert other.unescape(str(other.segment("PID")[5][0][0])) == "O'NEIL|É^"


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        (Charset.UTF_8, "Nguyễn Œuvre ’ 漢"),
        (Charset.LATIN_9, "Nguyen Œuvre ' ?"),
        (Charset.LATIN_1, "Nguyen OEuvre ' ?"),
        (Charset.ASCII, "Nguyen OEuvre ' ?"),
    ],
)
def test_letters_that_an_encoding_lacks_lose_their_accents(charset: Charset, text: str) -> None:
    raw = write_message([f"{MSH}{charset}", segment("PID", {5: "Nguyễn Œuvre ’ 漢"})], charset)
    assert parse_message(raw).value("PID-5") == text


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_value_breaks_out_of_its_field(values: list[str]) -> None:
    raw = write_message([f"{MSH}UNICODE UTF-8", segment("PID", {5: tuple(values), 6: "end"})])
    assert not {0x0B, 0x1C} & set(raw)
    read = parse_message(raw)
    assert [one.name for one in read] == ["MSH", "PID"]
    assert read.value("PID-6") == "end"


# Several messages


def test_several_messages_of_a_file() -> None:
    one, two = message(PID), message("SPM|1|MSH|2")
    for end in (b"\r", b"\n", b"\r\n"):
        raw = (b"FHS|^~\\&|\rBHS|^~\\&|\r" + one + two + b"BTS|2\rFTS|1\r").replace(b"\r", end)
        found = split_messages(raw)
        assert len(found) == 2
        assert [parse_message(each).control_id for each in found] == ["T03", "T03"]
        assert [one.name for one in parse_message(found[1])] == ["MSH", "SPM"]
    assert split_messages(b"\x0b" + one + b"\x1c\r\x0b" + two + b"\x1c\r") == [one, two]
    assert split_messages(b"") == split_messages(b"\r\n") == []
    assert split_messages(b"what is this") == [b"what is this"]


def test_a_finding_is_no_beginning_of_a_message() -> None:
    report = message("OBX|1|TX|X||MLH1 kept\nMSH-2 lost\nMSH: see above\nMSH(6)")
    assert split_messages(report) == [report]
    assert [one.name for one in parse_message(report)] == ["MSH", "OBX"]


@pytest.mark.parametrize(
    "second",
    [
        message(PID),
        message(PID).replace(b"\r", b"\n"),
        b"\n" + message(PID),
        b"\xef\xbb\xbf" + message(PID),
        message(PID).replace(b"|", b"$"),
        b"MSH|A",
    ],
)
def test_one_message_at_a_time(second: bytes) -> None:
    """One answer would be taken for both."""
    for first in (message(PID), message(PID).replace(b"\r", b"\n")):
        with pytest.raises(SegmentSequenceError, match="Another message begins") as raised:
            parse_message(first + second)
        assert raised.value.location == Location("MSH", 2)


def test_every_sample_is_read_as_python_hl7_reads_it(interop: Path) -> None:
    samples = [path for path in interop.rglob("*") if path.suffix in {".hl7", ".er7"}]
    assert len(samples) > 40
    for path in samples:
        raw = path.read_bytes()
        read = parse_message(raw)
        walk(read)
        other = hl7.parse(
            raw.decode(read.charset.codec).strip().replace("\r\n", "\r").replace("\n", "\r")
        )
        assert read.control_id == str(other.segment("MSH")[10])
        if (
            "drimbox" not in path.parts
        ):  # a line end within a field, which the other takes for a segment
            names = [str(one[0]) for one in other if str(one)]
            assert [one.name for one in read] == names


def test_no_damage_to_a_sample_brings_anything_but_an_answer(interop: Path) -> None:
    """Bytes lost, doubled, turned and swapped, in messages as they really are."""
    chance = random.Random(7)
    samples = [path.read_bytes()[:20_000] for path in sorted(interop.glob("synthetic/*.hl7"))]
    for _ in range(3_000):
        raw = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(raw))
            match chance.randrange(4):
                case 0:
                    del raw[at : at + chance.randint(1, 40)]
                case 1:
                    raw[at:at] = chance.choice([b"|", b"^~&", b"\r", b"\n", b"\\X0B\\", b"\xff"])
                case 2:
                    raw[at] = chance.randrange(256)
                case _:
                    raw[at:at] = raw[chance.randrange(len(raw)) :][:50]
            if not raw:
                break
        try:
            walk(parse_message(bytes(raw)))
        except MessageError as error:
            told = answer(bytes(raw), error, datetime.now(UTC))
            if told:
                parse_message(told)
