"""VMS: a text that names the JPEG images of one slide, which lie beside it.

    [Virtual Microscope Specimen]
    NoLayers=1
    NoJpegColumns=2
    NoJpegRows=1
    ImageFile=slide.jpg
    ImageFile(1,0)=slide(1,0).jpg
    MacroImage=slide_macro.jpg
    PhysicalWidth=2043904
    SourceLens=20

Part `(column,row)` of the base is an image of its own. Sizes are in nanometres. The map is another
rendering of the base, 16 times coarser or so, and no level of a pyramid: it is not kept, and
the levels between are made. Coarser, uncompressed slides of the same maker (VMU) are not read here.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path

from tiling.errors import DamagedSlideError, IncompleteSlideError, UnsupportedSlideError
from tiling.formats.hamamatsu.levels import SegmentedLevel
from tiling.formats.hamamatsu.reader import Layout, StoredImage
from tiling.formats.hamamatsu.recent import Recent
from tiling.formats.hamamatsu.stream import SegmentedJpeg, StoredJpeg, is_segmented
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.printed_code import code
from tiling.slide import AssociatedKind, SlideMetadata
from tiling.source import FileSource

NAME = "Hamamatsu VMS"

_MARK = "[Virtual Microscope Specimen]"
_MOST_INDEX_BYTES = 1 << 20
_MOST_PARTS = 64
"""Each is an open file; the largest slides have a dozen."""
_NM_PER_MM = 1_000_000


def has_mark(head: bytes) -> bool:
    """Whether a file beginning with `head` is an index of this format."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_MARK.encode())


def read_layout(path: Path, sources: list[FileSource], limits: Limits) -> Layout:
    """Read the index and the headers of its images, opening each into `sources`.

    Raises IncompleteSlideError when an image is not there, UnsupportedSlideError when tiles
    cannot be taken from all of them, DamagedSlideError when index and images contradict
    themselves, SlideTooLargeError beyond the limits.
    """
    index = _read_index(path)
    columns, rows = _count(index, "NoJpegColumns"), _count(index, "NoJpegRows")
    if _count(index, "NoLayers") != 1 or columns * rows > _MOST_PARTS:
        raise UnsupportedSlideError(
            "The slide has several layers or too many parts; export it again as NDPI."
        )
    names = [[_part_name(index, column, row) for column in range(columns)] for row in range(rows)]
    recent = Recent()
    parts = [[_open_part(_open(path, name, sources, recent)) for name in row] for row in names]
    _check_sizes(parts)
    base = SegmentedLevel(parts, 1.0, limits)
    associated = {}
    if index.get("MacroImage"):
        stream = _open(path, index["MacroImage"], sources, recent)
        if stream.header.stated is not None:
            limits.check_associated(stream.header.stated)
            associated[AssociatedKind.OVERVIEW] = StoredImage(stream, stream.header.stated)
    return Layout(NAME, _metadata(index, base.level.size), ((base,),), associated)


def _read_index(path: Path) -> Mapping[str, str]:
    """The `name=value` lines of the one section that matters; a name's first value counts."""
    with path.open("rb") as file:
        raw = file.read(_MOST_INDEX_BYTES)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    index: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip()
        elif section == _MARK and "=" in line:
            name, _, value = line.partition("=")
            index.setdefault(name.strip(), value.strip())
    return index


def _count(index: Mapping[str, str], name: str) -> int:
    text = index.get(name, "")
    if not re.fullmatch(r"[0-9]{1,4}", text) or not int(text):
        raise DamagedSlideError(
            "The slide's index is incomplete; copy the whole slide again from the scanner."
        )
    return int(text)


def _part_name(index: Mapping[str, str], column: int, row: int) -> str:
    key = "ImageFile" if not column and not row else f"ImageFile({column},{row})"
    if not index.get(key):
        raise DamagedSlideError(
            "The slide's index lacks the name of an image; copy the whole slide again."
        )
    return index[key]


def _open(path: Path, name: str, sources: list[FileSource], recent: Recent) -> StoredJpeg:
    """An image beside the index. A name is never followed out of its folder, nor is a link."""
    beside = path.parent / name
    bare = Path(name).name == name and not set(name) & set("/\\\0")
    if not bare or name in {".", ".."}:
        raise DamagedSlideError(
            "The slide's index names a file outside its folder; copy the slide from the scanner."
        )
    if beside.is_symlink() or not beside.is_file():
        raise IncompleteSlideError(
            f"{name} is missing beside the .vms file; copy all files of the slide."
        )
    source = FileSource(beside)
    sources.append(source)
    return StoredJpeg(source, 0, source.size, recent)


def _open_part(stream: StoredJpeg) -> SegmentedJpeg:
    size = stream.header.stated
    if size is None or not is_segmented(stream.header, size):
        raise UnsupportedSlideError(
            "The slide's images have no restart markers; export it again as NDPI."
        )
    return SegmentedJpeg(stream, size)


def _check_sizes(parts: list[list[SegmentedJpeg]]) -> None:
    """Raise DamagedSlideError when the images of one row or one column differ in size."""
    for row in parts:
        for part, above in zip(row, parts[0], strict=True):
            if (part.size.rows, part.size.columns) != (row[0].size.rows, above.size.columns):
                raise DamagedSlideError(
                    "The slide's images do not fit together; copy all files of the slide again."
                )


def _metadata(index: Mapping[str, str], size: Size) -> SlideMetadata:
    width, height = (_positive(index.get(name)) for name in ("PhysicalWidth", "PhysicalHeight"))
    return SlideMetadata(
        pixel_spacing_mm=(
            (height / _NM_PER_MM / size.rows, width / _NM_PER_MM / size.columns)
            if width and height
            else None
        ),
        objective_power=_positive(index.get("SourceLens")),
        manufacturer="Hamamatsu",
        model=index.get("Product") or None,
        serial_number=index.get("NDP.S/N") or None,
        label_text=code(index.get("SlideLabel"), index.get("Reference")),
        vendor=dict(index),
    )


def _positive(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if number > 0 and math.isfinite(number) else None
