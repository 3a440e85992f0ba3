"""How a rendered picture is asked for (PS3.18 8.3.5.1): into which size, window and colours."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs

from dicom.web.errors import BadQueryError
from tiling.composite import Window
from tiling.geometry import Size

_LONGEST_QUERY = 1000
_LARGEST_VIEWPORT = 8192
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,9})?")
_UNSUPPORTED = frozenset(("annotation", "charset", "presentationseriesuid", "presentationuid"))


class IccProfile(StrEnum):
    """What is done about the colours of the scanner."""

    NO = "no"
    """The pixels as they are, without their profile."""
    YES = "yes"
    """The pixels as they are, with it."""
    SRGB = "srgb"
    DISPLAY_P3 = "displayp3"


@dataclass(frozen=True, slots=True)
class Box:
    """A part of an image in its own pixels, half-open."""

    left: int
    top: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Viewport:
    """The room for the picture, and the part of the image that is shown; None is all of it."""

    room: Size
    left: int = 0
    top: int = 0
    columns: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Rendering:
    """Everything that a query says about a picture."""

    viewport: Viewport | None = None
    window: Window | None = None
    quality: int | None = None
    """1 to 100."""
    icc_profile: IccProfile = IccProfile.NO

    def box(self, image: Size) -> Box:
        """The part of an image that is shown; raises BadQueryError where there is none of it."""
        asked = self.viewport or Viewport(image)
        columns = min(asked.columns or image.columns, image.columns - asked.left)
        rows = min(asked.rows or image.rows, image.rows - asked.top)
        if columns <= 0 or rows <= 0:
            raise BadQueryError("The viewport shows a part that lies beyond the image.")
        return Box(asked.left, asked.top, columns, rows)

    def size(self, box: Box) -> Size:
        """Of the picture: as large as fits, in the shape of the part, and never enlarged."""
        room = Size(box.columns, box.rows) if self.viewport is None else self.viewport.room
        share = min(room.columns / box.columns, room.rows / box.rows, 1.0)
        columns, rows = round(box.columns * share), round(box.rows * share)
        return Size(max(1, columns), max(1, rows))


def parse_rendering(query_string: bytes) -> Rendering:
    """Raises BadQueryError."""
    if len(query_string) > _LONGEST_QUERY:
        raise BadQueryError("The query is longer than any that asks for a picture.")
    try:
        said = parse_qs(query_string.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise BadQueryError("The query cannot be read.") from error
    if not _UNSUPPORTED.isdisjoint(said) or any(len(values) > 1 for values in said.values()):
        raise BadQueryError("A parameter of the query is said twice, or not supported here.")
    values = {name: each for name, (each,) in said.items()}
    return Rendering(
        viewport=_viewport(values["viewport"]) if "viewport" in values else None,
        window=_window(values["window"]) if "window" in values else None,
        quality=_whole(values["quality"], 1, 100) if "quality" in values else None,
        icc_profile=_icc_profile(values.get("iccprofile", "no")),
    )


def _viewport(text: str) -> Viewport:
    """`vw,vh` or `vw,vh,sx,sy,sw,sh` (8.3.5.1.3); what is left empty is the whole image's."""
    parts = text.split(",")
    if len(parts) not in (2, 6):
        raise BadQueryError("A viewport has two or six numbers.")
    room = Size(*(_whole(part, 1, _LARGEST_VIEWPORT) for part in parts[:2]))
    left, top, columns, rows = (_part(part) for part in (*parts[2:], *[""] * 4)[:4])
    if columns == 0 or rows == 0:
        raise BadQueryError("A viewport shows a part that has no pixels.")
    return Viewport(room, left or 0, top or 0, columns, rows)


def _part(text: str) -> int | None:
    if not text:
        return None
    number = _number(text)
    if number < 0:
        raise BadQueryError("Pictures are not mirrored here: a viewport has no negative numbers.")
    return round(number)


def _window(text: str) -> Window:
    """`centre,width,function` (8.3.5.1.4); linear functions alone."""
    parts = text.split(",")
    if len(parts) != 3 or parts[2].lower() not in ("linear", "linear-exact"):
        raise BadQueryError("A window is a centre, a width and `linear` or `linear-exact`.")
    centre, width = map(_number, parts[:2])
    darkest = max(0, round(centre - width / 2))
    brightest = round(centre + width / 2)
    if width < 1 or brightest <= darkest:
        raise BadQueryError("A window is wider than nothing, and not all below zero.")
    return Window(darkest, brightest)


def _icc_profile(text: str) -> IccProfile:
    try:
        return IccProfile(text)
    except ValueError:
        raise BadQueryError("iccprofile is no, yes, srgb or displayp3 here.") from None


def _whole(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
        raise BadQueryError(f"A number from {least} to {most} is asked for.")
    return int(text)


def _number(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise BadQueryError("A number is asked for.")
    return float(text)
