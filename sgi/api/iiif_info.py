"""`info.json`: what a slide offers through the IIIF Image API 3.0, section 5 of it."""

from collections.abc import Sequence
from typing import Any

from sgi.api.regions import Bounds, bounds_of, levels_of
from sgi.domain.slide import Slide
from tiling.picture import PictureFormat, Quality
from tiling.region import factor_of
from tiling.slide import Level

CONTEXT = "http://iiif.io/api/image/3/context.json"
PROFILE = "http://iiif.io/api/image/3/level2.json"
_OF_LEVEL_2 = frozenset({PictureFormat.JPEG, PictureFormat.PNG})
_FEATURES = ("canonicalLinkHeader", "mirroring", "profileLinkHeader")
"""Beyond those of level 2."""


def information(slide: Slide, base_uri: str) -> dict[str, Any]:
    """The document; nothing in it comes from the slide's file but its geometry."""
    levels, bounds = levels_of(slide), bounds_of(slide)
    size = levels[0].size
    return {
        "@context": CONTEXT,
        "id": base_uri,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": size.columns,
        "height": size.rows,
        "maxWidth": bounds.longest_side,
        "maxHeight": bounds.longest_side,
        "maxArea": bounds.pixels,
        "sizes": _sizes(levels, bounds),
        "tiles": _tiles(levels, bounds),
        "extraFormats": [kind for kind in PictureFormat if kind not in _OF_LEVEL_2],
        "extraQualities": _qualities(slide),
        "extraFeatures": list(_FEATURES),
    }


def _sizes(levels: Sequence[Level], bounds: Bounds) -> list[dict[str, int]]:
    """The whole slide at the size of each level that is not too large, the smallest first."""
    return [
        {"width": level.size.columns, "height": level.size.rows}
        for level in reversed(levels)
        if max(level.size.columns, level.size.rows) <= bounds.longest_side
        and level.size.area <= bounds.pixels
    ]


def _tiles(levels: Sequence[Level], bounds: Bounds) -> list[dict[str, Any]]:
    """The stored tiles: handed out as they are, or nearly so. A factor is a whole number here."""
    found: dict[tuple[int, int], list[int]] = {}
    for level in levels:
        factor = factor_of(level, levels[0].size)
        if factor.is_integer() and level.tile.area <= bounds.pixels:
            found.setdefault((level.tile.columns, level.tile.rows), []).append(int(factor))
    return [
        {"width": width, "height": height, "scaleFactors": factors}
        for (width, height), factors in found.items()
    ]


def _qualities(slide: Slide) -> list[str]:
    """Colour is not among them where there is nothing but grey (4.4)."""
    paths = slide.facts.optical_paths
    grey = slide.facts.samples == 1 and len(paths) == 1 and not _tinted(paths[0].colour)
    return [quality for quality in Quality if not (grey and quality is Quality.COLOUR)]


def _tinted(colour: tuple[int, int, int] | None) -> bool:
    return colour is not None and len(set(colour)) > 1
