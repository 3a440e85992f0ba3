"""The conformance statement lists exactly the attributes that are written."""

import io
import re
import uuid
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
from pydicom.datadict import keyword_for_tag

from dicom.conversion import convert
from dicom.models import SlideIdentity
from dicom.models.told import Told, ToldGlass, ToldIdentifier, ToldPatient, ToldUids
from dicom.modules.told import told_attributes
from dicom.testing import MemoryTarget
from dicom.transfer_syntax import transfer_syntax_of
from dicom.web import attributes, document, matching, query
from dicom.web.frame_list import MOST_FRAMES
from dicom.web.media import media_type_of
from sgi.api.dicomweb import rendered
from sgi.api.dicomweb.places import MOST_SLIDES
from tiling.array_slide import ArraySlide
from tiling.pyramid import build_pyramid
from tiling.registry import open_slide
from tiling.slide import Codec, Colour, Illumination, OpticalPath, SlideReader, TileEncoding
from tiling.svs import SvsOptions, write_svs
from tiling.testing import write_generic_tiff

STATEMENT = Path(__file__).resolve().parents[2] / "docs" / "dicom-conformance.md"


def written(reader: SlideReader, scratch: Path) -> tuple[set[str], set[str]]:
    """Attributes and transfer syntaxes of every instance that a slide becomes."""
    target = MemoryTarget()
    try:
        convert(reader, build_pyramid(reader, scratch), SlideIdentity(uuid.uuid4()), target)
    finally:
        reader.close()
    attributes: set[str] = set()
    syntaxes: set[str] = set()
    for data in target.instances.values():
        dataset = pydicom.dcmread(io.BytesIO(bytes(data)))
        attributes |= {e.keyword if not e.tag.is_private else str(e.tag) for e in dataset}
        syntaxes.add(str(dataset.file_meta.TransferSyntaxUID))
    return attributes, syntaxes


def light() -> SlideReader:
    """Two optical paths and two focal planes of light."""
    path = OpticalPath("DAPI", Illumination.FLUORESCENCE, (0, 0, 255), 358.0, 461.0)
    pixels = np.arange(2 * 2 * 90 * 80, dtype=np.uint16).reshape(2, 2, 90, 80, 1)
    return ArraySlide(pixels, [path, path], (0.0, 1.0), bits=16)


def deep_colours() -> SlideReader:
    """Colours in 16 bits."""
    pixels = np.arange(90 * 80 * 3, dtype=np.uint16).reshape(1, 1, 90, 80, 3)
    return ArraySlide(pixels, [OpticalPath()], bits=16)


def _encoding(codec: Codec) -> TileEncoding:
    return TileEncoding(Colour.GREY, codec=codec)


def test_attributes_are_those_of_the_statement(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (700, 900, 3), np.uint8)
    svs, plain = tmp_path / "a.svs", tmp_path / "b.tiff"
    small = pixels[:90, :120]
    write_svs(svs, pixels, SvsOptions(label=small, overview=small))
    write_generic_tiff(plain, pixels)
    attributes: set[str] = set()
    syntaxes: set[str] = set()
    for reader in (open_slide(svs), open_slide(plain), light(), deep_colours()):
        more_attributes, more_syntaxes = written(reader, tmp_path)
        attributes |= more_attributes
        syntaxes |= more_syntaxes
    table = STATEMENT.read_text().split("## Attributes")[1].split("\n## ")[0]
    told = set(re.findall(r"^\| ([A-Z]\w+|\([0-9A-F]{4},[0-9A-F]{4}\)) \|", table, re.MULTILINE))
    assert attributes == told
    listed = set(re.findall(r"\| (1\.2\.840\.10008\.1\.2[.0-9]*) \|", STATEMENT.read_text()))
    made_here = re.findall(r"\| (1\.2\.840[.0-9]*) \| [^|]*made here", STATEMENT.read_text())
    assert syntaxes == set(made_here)
    handed_on = {uid for uid in map(transfer_syntax_of, map(_encoding, Codec)) if uid}
    assert listed == handed_on


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the first table after a row's heading."""
    lines = STATEMENT.read_text().split(f"| {heading} |", 1)[1].splitlines()[2:]
    table = lines[: next(at for at, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_what_a_search_always_tells_is_what_the_statement_lists() -> None:
    told = {
        "study": attributes.STUDY_RETURNED,
        "series": attributes.SERIES_RETURNED,
        "instance": (*attributes.INSTANCE_RETURNED, attributes.AVAILABLE_SYNTAX),
    }
    listed = {level: named.split(", ") for level, named in rows_of("level")}
    assert listed == {
        level: [keyword_for_tag(int(tag, 16)) for tag in tags] for level, tags in told.items()
    }


def test_what_can_be_matched_is_what_the_statement_lists() -> None:
    listed = dict(rows_of("matching"))
    assert set(listed["`*` and `?`"].split()) == matching._TEXTS | {"PN"}
    assert set(listed["ranges, as precise as they are written"].split()) == set(matching._SPANS)
    numbers = matching._NUMBERS - {"US or SS"}
    assert set(listed["numbers by their value"].split()) == numbers


def test_media_types_of_frames_are_those_of_the_statement() -> None:
    listed: dict[str, str] = {}
    for syntaxes, media_type in rows_of("transfer syntax | media type"):
        first, *others = syntaxes.split(", ")
        for syntax in (first, *(first.rpartition(".")[0] + other for other in others)):
            listed[syntax] = media_type
    handed_on = {uid for uid in map(transfer_syntax_of, map(_encoding, Codec)) if uid}
    assert listed == {syntax: media_type_of(syntax) for syntax in handed_on}


def test_bounds_are_those_of_the_statement() -> None:
    chapter = STATEMENT.read_text().split("## DICOMweb")[1].split("## Judges")[0]
    for bound in (
        f"in {query.LONGEST_QUERY} bytes, {matching._MOST_STARS} `*` in each; ",
        f"; {query.USUAL_RESULTS} results",
        f"{query.MOST_RESULTS} at most;",
        f"At most {MOST_FRAMES} frames of a list, {rendered._MOST_FRAMES} rendered, "
        f"{MOST_SLIDES} slides of a study.",
        f"longer than {document._LONGEST_INLINE} bytes",
    ):
        assert bound in chapter, bound


def test_what_is_told_anew_is_listed() -> None:
    identifier = ToldIdentifier("1", "X", "1.2")
    person = ToldPatient("A^B", "C^D", identifier, (identifier,), date(2000, 1, 2), "F")
    told = Told(ToldGlass("1", "2.25.1"), "1", True, date(2000, 1, 2), person)
    written = {e.keyword for e in told_attributes(told, ToldUids("1", "2", "3"))}
    # The issuer's identifier is told of an INS; an IPP's assigner has none.
    written -= {"IssuerOfPatientIDQualifiersSequence"}
    section = STATEMENT.read_text("utf-8").split("## Whose it is")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| (\w+) \|", section, re.MULTILINE)) - {"attribute"}
    assert listed == written
