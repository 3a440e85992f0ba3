"""The JSON documents of an image: `zarr.json` of the group and of each level's array.

Zarr 3 core specification; OME-Zarr 0.5, "multiscales" and "omero" metadata.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tiling.blank import background_of
from tiling.composite import colours_of
from tiling.geometry import Size
from tiling.omezarr.multiscale import ONE_TILE, Multiscale
from tiling.slide import OpticalPath

Document = dict[str, Any]

DOCUMENT_NAME = "zarr.json"
STORED_OBJECTS = "stored_objects"
"""Among the attributes of an array: how many objects hold its chunks. The format leaves blank ones
out, so that nobody could tell those from ones that were lost.
"""
LITTLE_ENDIAN: Document = {"name": "bytes", "configuration": {"endian": "little"}}
"""The codec of samples as they are."""

_RGB = (("Red", "FF0000"), ("Green", "00FF00"), ("Blue", "0000FF"))
_EVEN = 1e-3
"""How far distances between planes may differ, of their mean, and still count as one."""


def group_document(image: Multiscale) -> Document:
    """The `zarr.json` above the levels, which are arrays named by their number."""
    multiscale = {
        "name": image.name,
        "axes": [_axis(image, axis) for axis in image.axes],
        "datasets": [
            {"path": str(level), "coordinateTransformations": _transformations(image, level)}
            for level in range(len(image.levels))
        ],
    }
    attributes = {
        "ome": {"version": "0.5", "multiscales": [multiscale], "omero": _omero(image)},
    }
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes}


def array_document(
    image: Multiscale,
    level: int,
    codecs: Sequence[Document] = (LITTLE_ENDIAN,),
    tiles: Size = ONE_TILE,
    objects: int | None = None,
) -> Document:
    """The `zarr.json` of a level whose chunks are of so many tiles across and down.

    `objects` is how many were written; None where chunks are made when they are asked for.
    """
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": image.shape(level),
        "data_type": "uint8" if image.pixel_format.bits <= 8 else "uint16",
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": image.chunk_shape(level, tiles)},
        },
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill_value(image),
        "codecs": list(codecs),
        "attributes": {} if objects is None else {STORED_OBJECTS: objects},
        "dimension_names": list(image.axes),
    }


def fill_value(image: Multiscale) -> int:
    """The sample of a chunk that is not there: the background of the first optical path."""
    return background_of(image.pixel_format, image.optical_paths[0])


def _axis(image: Multiscale, name: str) -> Document:
    if name == "c":
        return {"name": "c", "type": "channel"}
    known = image.pixel_spacing_mm if name in "yx" else _plane_distance_um(image)
    unit = {"unit": "micrometer"} if known is not None else {}
    return {"name": name, "type": "space", **unit}


def _transformations(image: Multiscale, level: int) -> list[Document]:
    """Where the centres of a level's pixels lie; that of the base's first pixel is 0.

    A coarser pixel covers `downsample` finer ones along each side, so that its centre lies half
    of that, less half a pixel, from the first one's. Without a known scale, lengths are in pixels
    of the base.
    """
    downsample = image.levels[level].downsample
    scale, translation = [1.0], [0.0]
    if "z" in image.axes:
        distance = _plane_distance_um(image)
        scale.append(1.0 if distance is None else distance)
        translation.append(0.0 if distance is None else float(image.focal_planes_um[0]))
    for spacing_mm in image.pixel_spacing_mm or (1e-3, 1e-3):
        spacing_um = spacing_mm * 1000
        scale.append(spacing_um * downsample)
        translation.append(spacing_um * (downsample - 1) / 2)
    return [
        {"type": "scale", "scale": scale},
        {"type": "translation", "translation": translation},
    ]


def _plane_distance_um(image: Multiscale) -> float | None:
    """The distance between neighbouring planes; None where it is not known or not the same."""
    if image.are_planes_counted:
        return None
    heights = image.focal_planes_um
    mean = (heights[-1] - heights[0]) / max(1, len(heights) - 1)
    even = all(abs(upper - lower - mean) <= _EVEN * mean for lower, upper in pairwise(heights))
    return mean if even and len(heights) > 1 else None


def _omero(image: Multiscale) -> Document:
    if image.pixel_format.samples == 3:
        channels = [
            _channel(image, number, f"{name} {label}".lstrip(), colour, active=number == 0)
            for number, name in enumerate(_names(image.optical_paths))
            for label, colour in _RGB
        ]
    else:
        colours = [bytes(colour).hex().upper() for colour in colours_of(image.optical_paths)]
        channels = [
            _channel(image, number, path.name, colours[number])
            for number, path in enumerate(image.optical_paths)
        ]
    rdefs = {"model": "color", "defaultZ": len(image.focal_planes_um) // 2, "defaultT": 0}
    return {"channels": channels, "rdefs": rdefs}


def _names(paths: Sequence[OpticalPath]) -> list[str]:
    """What tells the colours of a path from those of others; a single one needs nothing."""
    if len(paths) == 1:
        return [""]
    return [path.name or f"Path {number}" for number, path in enumerate(paths, start=1)]


def _channel(
    image: Multiscale, path: int, label: str | None, colour: str, *, active: bool = True
) -> Document:
    shown, brightest = image.window(path), image.pixel_format.brightest
    window = {"min": 0, "max": brightest, "start": shown.darkest, "end": shown.brightest}
    named = {} if label is None else {"label": label}
    return {**named, "color": colour, "window": window, "active": active}


def to_json(document: Document) -> bytes:
    """The document as it is stored and sent."""
    return json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "replace")
