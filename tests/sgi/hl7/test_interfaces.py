"""The files that integrators write: what they say, and what is wrong with them in one sentence."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sgi.domain.case import AssetKind
from sgi.domain.interface import NoticeKind
from sgi.errors import ConfigurationError
from sgi.hl7.encodings import Charset
from sgi.hl7.interface import AssetWord, Interface
from sgi.hl7.interfaces import (
    BUILT_IN,
    InterfaceKind,
    built_in,
    interfaces_of,
    load_interfaces,
    parse_interface,
    read_interface,
)
from sgi.settings import Hl7Settings, Settings


def test_without_a_file_there_is_the_built_in_interface(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        (only,) = load_interfaces(folder, 2575)
        assert (only.name, only.kind, only.port) == ("sgl", InterfaceKind.MLLP, 2575)
        assert only.establishment == ""
        assert not only.out.reachable


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_comes_with_the_SGI_is_whole(name: str) -> None:
    interface = built_in(name)
    assert interface.read.slide
    assert interface.timezone == ZoneInfo("Europe/Paris")
    assert interface.codes.containers["SLIDE"].kind is AssetKind.SLIDE


def test_a_file_says_everything(tmp_path: Path) -> None:
    (tmp_path / "apix.toml").write_text(
        """
        port = 2580
        establishment = "CH de Nulle-Part"
        zone = "Indian/Reunion"
        encodings = ["8859/15"]
        sender = { applications = ["APIX"] }
        events = { take = ["ORM^O01"], ignore = ["ADT"] }

        [read]
        slide = "OBR-18.2"

        [patterns]
        slide = 'L(?P<id>[0-9]+)'

        [codes.stains]
        "01" = [{ code = "HE" }, { code = "S", text = "Safran" }]

        [extemporane]
        fields = "OBR-4|ORC-16"
        values = ["EXT"]

        [out]
        host = "sgl.example"
        port = 2600
        tls = true
        send = ["LAB-104", "LAB-101"]
        encoding = "8859/1"
        connection_per_message = true
        """,
        "utf-8",
    )
    (apix,) = load_interfaces(tmp_path, 2575)
    assert (apix.name, apix.port, apix.encodings) == ("apix", 2580, (Charset.LATIN_9,))
    assert apix.out.send == (NoticeKind.IMAGE, NoticeKind.CASE)
    assert apix.out.encoding is Charset.LATIN_1
    assert [code.code for code in apix.codes.stains["01"]] == ["HE", "S"]
    assert apix.codes.containers["GLASS"] is AssetWord.SLIDE  # of the built-in that it is like
    assert apix.slide_identifier(" L0042 ") == "0042"
    assert apix.slide_identifier("0042") is None


def test_ports_are_given_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("")
    (tmp_path / "b.toml").write_text('kind = "files"')
    (tmp_path / "c.toml").write_text("port = 2576")
    a, b, c = load_interfaces(tmp_path, 2575)
    assert (a.port, b.port, c.port) == (2575, None, 2576)
    (tmp_path / "d.toml").write_text("")
    with pytest.raises(ConfigurationError, match=r"d\.toml: port is missing"):
        load_interfaces(tmp_path, 2575)
    (tmp_path / "d.toml").write_text("port = 2576")
    with pytest.raises(ConfigurationError, match="Two interfaces have the port 2576"):
        load_interfaces(tmp_path, 2575)


def test_several_free_ports_are_no_contradiction(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("port = 0")
    (tmp_path / "b.toml").write_text("port = 0")
    assert [one.port for one in load_interfaces(tmp_path, 2575)] == [0, 0]


def test_names_are_given_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('name = "x"')
    (tmp_path / "b.toml").write_text('name = "x"\nport = 1234')
    with pytest.raises(ConfigurationError, match="Two interfaces have the name x"):
        load_interfaces(tmp_path, 2575)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("port =", "a.toml is not TOML"),
        ('reed = "x"', "a.toml: there is no key reed; check how it is written."),
        ("[read]\nslid = 'SPM-2'", "a.toml: there is no key read.slid"),
        ("[read]\nslide = 'SPM'", 'a.toml: read.slide is not right: "SPM" is no path'),
        ("[read]\nslide = 7", "a.toml: read.slide is not right"),
        ('port = "2575"', "a.toml: port is not right: should be a valid integer."),
        ("port = 70000", "a.toml: port is not right"),
        ('kind = "ftp"', "a.toml: kind is not right: should be 'mllp' or 'files'."),
        ('zone = "Mars"', "a.toml: zone is not right: it is no time zone; one is Europe/Paris."),
        ('zone = "../../etc"', "a.toml: zone is not right"),
        ("[patterns]\nslide = '('", "a.toml: patterns.slide is not right: it is no regular"),
        ("[codes.stains]\nHE = {}", "a.toml: codes.stains.HE.0.code is missing."),
        ("[codes.stains]\nHE = []", "a.toml: codes.stains.HE is not right"),
        ("[codes.containers]\nX = 'box'", "a.toml: codes.containers.X is not right"),
        ("[codes.states]\nX = 'lost'", "a.toml: codes.states.X is not right"),
        ("events = { take = ['A01'] }", "a.toml: events is not right: A01 is not among"),
        ("[out]\nsend = ['LAB-104']", "a.toml: out is not right: there is nowhere to send to"),
        ("[out]\nsend = ['LAB-105']", "a.toml: out.send.0 is not right"),
        ("[out]\nhost='h'\nport=1\nsend=['ORU']", "a.toml: out is not right: ORU goes with link"),
        ("[out]\nlink = 'https://x/y'", "a.toml: out.link is not right"),
        ("[out]\ncertificate = 'c.pem'", "a.toml: out is not right: certificate and key go"),
        ('like = "epic"', "a.toml: like is one of sgl, roche."),
        ("like = []", "a.toml: like is one of sgl, roche."),
        ('name = "Labo A"', "a.toml: name is not right"),
        ("encodings = []", "a.toml: encodings is not right"),
        ('encodings = ["EBCDIC"]', "a.toml: encodings.0 is not right"),
        ("read = 3", "a.toml: read is not right"),
        ("port = 2026-06-12", "a.toml: port is not right"),
        # Keys that would be without effect
        (
            'kind = "files"\nport = 2600',
            'a.toml: port goes with kind = "mllp"; take one of them out.',
        ),
        ('kind = "files"\nhost = "h"', 'a.toml: host goes with kind = "mllp"'),
        ('folder = "/srv/x"', 'a.toml: folder goes with kind = "files"'),
        (
            "[out]\nhost='h'\nport=1\nfolder='/srv/x'\nsend=['LAB-104']",
            "a.toml: out is not right: notices go to host or into folder; take one of them out.",
        ),
        (
            "[out]\nhost='h'\nfolder='/srv/x'",
            "a.toml: out is not right: notices go to host or into",
        ),
        ("[out]\nhost='h'", "a.toml: out is not right: host and port go together; give both."),
        ("[out]\nport=1", "a.toml: out is not right: host and port go together"),
        ("[out]\ntls=true", "a.toml: out is not right: tls goes with host and port; give them"),
        (
            "[out]\nhost='h'\nport=1\nauthority='a.pem'",
            "a.toml: out is not right: authority goes with tls; set tls = true, or take it out.",
        ),
        (
            "[out]\nhost='h'\nport=1\ncertificate='c.pem'\nkey='k.pem'",
            "a.toml: out is not right: certificate goes with tls",
        ),
        (
            "events = { ignore = ['OML^021'] }",
            "a.toml: events.ignore is not right: OML^021 is no message; write it as ADT or OML^O21",
        ),
        ("events = { ignore = ['adt'] }", "a.toml: events.ignore is not right: adt is no message"),
        (
            "events = { take = ['ADT^A08'], ignore = ['ADT'] }",
            "a.toml: events is not right: ADT^A08 is among those that are ignored, too; take it",
        ),
        (
            "like = 'roche'\n[extemporane]\nfields = 'OBR-4'",
            "a.toml: extemporane.values is missing: fields alone are compared with nothing.",
        ),
        ("[extemporane]\nfields = 'OBR-4'\nvalues = []", "a.toml: extemporane.values is missing"),
        ("[extemporane]\nfields = ''\nvalues = ['X']", "a.toml: extemporane.fields is missing"),
        (
            "[patterns]\nslide = '(?P<ident>x)'",
            "a.toml: patterns.slide is not right: of its groups only id is read; name one of them",
        ),
        (
            "[read]\nslide = 'SPM-2|SMP-2'",
            "a.toml: read.slide is not right: there is no segment SMP in such messages; check how",
        ),
        (
            "[scanner]\nscanned = ['x']\nstatus = ['x']",
            "a.toml: scanner is not right: x says both; take it out of one.",
        ),
        ("[codes.stains]\nHE = { code = ' ' }", "a.toml: codes.stains.HE.0.code is not right"),
        ("[codes.containers]\n'' = 'slide'", "a.toml: codes.containers is not right: there is an"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        load_interfaces(tmp_path, 2575)
    told = str(raised.value)
    assert told.startswith(sentence)
    assert told.endswith(".")
    assert "\n" not in told


@pytest.mark.parametrize(
    "text",
    [
        "[extemporane]\nvalues = []",  # no frozen sections by orders
        "[extemporane]\nfields = ''",
        "[extemporane]\nfields = 'ORC-16'",  # with the values of what it is like
        "[read]\nslide = 'ZSL-3|SPM-2'",  # of the laboratory's own
        "[patterns]\nslide = '(?P<q>/)?(?P<id>[0-9]+)(?P=q)'",
        "events = { ignore = ['ADT^A60', 'SIU', 'ZZZ^Z01'] }",
        "events = { take = ['ADT'], ignore = ['ADT^A31'] }",
        "kind = 'files'\n[out]\nhost = 'h'\nport = 1\ntls = true\nauthority = 'a.pem'",
        "[out]\nfolder = '/srv/x'\nsend = ['LAB-104']",
    ],
)
def test_what_has_an_effect_is_right(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    assert load_interfaces(tmp_path, 2575)


@pytest.mark.parametrize(
    ("own", "other", "sentence"),
    [
        ("box", "box", "b.toml: folder is that of a too; give it one of its own."),
        ("box", "link", "b.toml: folder is that of a too"),
        ("box", "x/../box/", "b.toml: folder is that of a too"),
        ("box", "box/done", "b.toml: folder is where a puts away what it took"),
        ("box/refused", "box", "a.toml: folder is where b puts away what it took"),
        ("box", "drops/a", None),
        ("drops/b", None, "b.toml: folder is that of a too"),
    ],
)
def test_folders_are_given_once(
    tmp_path: Path, own: str, other: str | None, sentence: str | None
) -> None:
    """Two that take the same files would each take some."""
    files = tmp_path / "interfaces"
    for folder in ("interfaces", "box", "x"):
        (tmp_path / folder).mkdir()
    (tmp_path / "link").symlink_to("box")
    folders = {"a": f'folder = "{tmp_path / own}"', "b": ""}
    if other is not None:
        folders["b"] = f'folder = "{tmp_path}/{other}"'
    for name, line in folders.items():
        (files / f"{name}.toml").write_text(f'kind = "files"\n{line}\n')
    if sentence is None:
        assert load_interfaces(files, 2575, tmp_path / "drops")
        return
    with pytest.raises(ConfigurationError) as raised:
        load_interfaces(files, 2575, tmp_path / "drops")
    assert str(raised.value).startswith(sentence)


def test_nobody_takes_our_own_notices(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        f'kind = "files"\n[out]\nfolder = "{tmp_path}/drops/a"\nsend = ["LAB-104"]\n'
    )
    with pytest.raises(ConfigurationError) as raised:
        load_interfaces(tmp_path, 2575, tmp_path / "drops")
    assert str(raised.value) == (
        "a.toml: out.folder is where a takes its messages from; give it another."
    )


def test_an_interface_of_files_has_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('kind = "files"')
    (a,) = load_interfaces(tmp_path, 2575, tmp_path / "drops")
    assert a.folder == tmp_path / "drops" / "a"


def test_a_folder_that_was_named_is_there_and_has_files(tmp_path: Path) -> None:
    """Or the interface that there is without any would take messages as nobody meant them."""

    def named(folder: Path | None) -> list[Interface]:
        return interfaces_of(Settings(data=tmp_path, hl7=Hl7Settings(folder=folder)))

    assert [one.name for one in named(None)] == ["sgl"]
    with pytest.raises(ConfigurationError, match=r"SGI_HL7__FOLDER: there is no folder .*typo"):
        named(tmp_path / "typo")
    (tmp_path / "own").mkdir()
    with pytest.raises(ConfigurationError, match=r"SGI_HL7__FOLDER: there is no .*\.toml in"):
        named(tmp_path / "own")
    (tmp_path / "own" / "a.toml").write_text("")
    assert [one.name for one in named(tmp_path / "own")] == ["a"]


def test_a_folder_that_cannot_be_listed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ConfigurationError, match=r"cannot be listed: Permission denied\."):
        load_interfaces(tmp_path, 2575)


def test_a_word_of_a_table_is_replaced_whole() -> None:
    own = parse_interface({"codes": {"stains": {"HE": {"code": "12"}}}}, "a.toml", "a")
    assert [(code.code, code.text) for code in own.codes.stains["HE"]] == [("12", None)]
    assert own.codes.stains["HES"][0].text == "Hématéine éosine safran"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "l.toml"
    latin.write_bytes(b'establishment = "H\xf4pital"')
    with pytest.raises(ConfigurationError, match=r"l\.toml is not in UTF-8"):
        read_interface(latin)
    with pytest.raises(ConfigurationError, match=r"gone\.toml cannot be read"):
        read_interface(tmp_path / "gone.toml")
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (1 << 21))
    with pytest.raises(ConfigurationError, match="too large"):
        read_interface(large)


def test_an_error_does_not_tell_what_a_file_holds(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_interface({"out": {"port": "secret-canary"}}, "a.toml", "a")
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("text", ["", " ", "x" * 101, "a\x00b", "a\nb"])
def test_what_is_never_an_identifier(text: str) -> None:
    assert built_in("roche").slide_identifier(text) is None
