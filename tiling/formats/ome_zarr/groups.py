"""Groups of an OME-Zarr, whichever Zarr they are written in, and the images among them."""

from collections.abc import Mapping

from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.formats.ome_zarr.files import Files, is_plain, join
from tiling.formats.ome_zarr.values import (
    DAMAGED,
    Mapped,
    optional_mapping,
    read_document,
    sequence,
    text,
)
from tiling.xml_tree import parse_xml

ROOTS = ("zarr.json", ".zgroup", ".zattrs")
"""Files of which a folder has one when it is the root of a Zarr: of version 3, or 2."""

_LAYOUT = "bioformats2raw.layout"
_MOST_IMAGES = 256
_LONGEST_XML = 1 << 22


def read_attributes(files: Files, path: str = "") -> Mapped | None:
    """What OME-Zarr keeps in a group: `ome` of its attributes (0.5), or all of them (0.4).

    None when there is no group.
    """
    v3 = read_document(files, join(path, "zarr.json"))
    if v3 is not None:
        return optional_mapping(optional_mapping(v3.get("attributes")).get("ome"))
    v2 = read_document(files, join(path, ".zattrs"))
    if v2 is None and files.size(join(path, ".zgroup")) is not None:
        return {}
    return v2


def find_images(files: Files) -> dict[str, str | None]:
    """The groups that hold an image, the first one first, and the name of each if it has one.

    The root itself, or each series of a `bioformats2raw.layout`. Raises UnsupportedSlideError when
    there is no image.
    """
    root = read_attributes(files) or {}
    if "multiscales" in root:
        return {"": None}
    if "plate" in root or "well" in root:
        raise UnsupportedSlideError("This is a plate of many wells; choose one of its images.")
    if _LAYOUT not in root:
        raise UnsupportedSlideError("There is no image in this Zarr; choose the folder of one.")
    series = _series(files)
    if not series:
        raise UnsupportedSlideError("There is no image in this Zarr; choose the folder of one.")
    names = _names(files)
    return {path: names.get(index) for index, path in enumerate(series)}


def _series(files: Files) -> list[str]:
    """As the group "OME" lists them, or numbered from 0."""
    listed = (read_attributes(files, "OME") or {}).get("series")
    if listed is not None:
        paths = [text(path) for path in sequence(listed)]
        if not all(is_plain(path) for path in paths):
            raise DamagedSlideError(DAMAGED)
    else:
        paths = []
        while len(paths) <= _MOST_IMAGES and read_attributes(files, str(len(paths))) is not None:
            paths.append(str(len(paths)))
    if len(paths) > _MOST_IMAGES:
        raise SlideTooLargeError("The Zarr holds more images than any slide has; it is refused.")
    return paths


def _names(files: Files) -> Mapping[int, str]:
    """The names of the images in the OME-XML beside them, by their index."""
    data = files.read("OME/METADATA.ome.xml", _LONGEST_XML)
    if data is None:
        return {}
    images = parse_xml(data.decode("utf-8", "replace")).all("Image")
    return {index: image.attributes.get("Name", "") for index, image in enumerate(images)}
