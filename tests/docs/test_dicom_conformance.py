"""The conformance statement lists exactly the attributes that are written."""

import io
import re
import uuid
from pathlib import Path

import numpy as np
import pydicom

from dicom.conversion import convert
from dicom.models import SlideIdentity
from dicom.testing import MemoryTarget
from tiling.pyramid import build_pyramid
from tiling.registry import open_slide
from tiling.svs import SvsOptions, write_svs
from tiling.testing import write_generic_tiff

STATEMENT = Path(__file__).resolve().parents[2] / "docs" / "dicom-conformance.md"


def written(path: Path, scratch: Path) -> tuple[set[str], set[str]]:
    """Attributes and transfer syntaxes of every instance that a file becomes."""
    reader = open_slide(path)
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


def test_attributes_are_those_of_the_statement(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (700, 900, 3), np.uint8)
    svs, plain = tmp_path / "a.svs", tmp_path / "b.tiff"
    small = pixels[:90, :120]
    write_svs(svs, pixels, SvsOptions(label=small, overview=small))
    write_generic_tiff(plain, pixels)
    attributes, syntaxes = written(svs, tmp_path)
    more_attributes, more_syntaxes = written(plain, tmp_path)
    table = STATEMENT.read_text().split("## Attributes")[1].split("## Judges")[0]
    told = set(re.findall(r"^\| ([A-Z]\w+|\([0-9A-F]{4},[0-9A-F]{4}\)) \|", table, re.MULTILINE))
    assert attributes | more_attributes == told
    listed = set(re.findall(r"\| (1\.2\.840\.10008\.1\.2[.0-9]*) \|", STATEMENT.read_text()))
    assert syntaxes | more_syntaxes == listed
