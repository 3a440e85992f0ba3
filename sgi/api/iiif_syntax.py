"""The words of a IIIF Image API 3.0 address, as a picture that is asked for: section 4 of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from sgi.api.regions import Asked, Bounds
from sgi.errors import EnlargedPictureError, MalformedPictureError, PictureTooLargeError
from tiling.colour import Target
from tiling.geometry import Size
from tiling.picture import Look, PictureFormat, Quality
from tiling.region import Region

_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{0,12})?|\.[0-9]{1,12}", re.ASCII)
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Words:
    """An image request (2.1), each part as it came."""

    region: str
    size: str
    rotation: str
    picture: str
    """`quality.format`."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A request that means a picture."""

    asked: Asked
    canonical: Words
    """The one address of that picture (4.8)."""


def understand(
    words: Words, extensions: Mapping[str, str], image: Size, bounds: Bounds
) -> Understood:
    """What a request means for an image of that size.

    Raises MalformedPictureError, EnlargedPictureError or PictureTooLargeError.
    """
    if any(len(word) > _LONGEST for word in (words.region, words.size, words.rotation)):
        raise _malformed("it is longer than any")
    region = parse_region(words.region, image)
    most = largest_within(region.size, bounds)
    size = parse_size(words.size, region.size, bounds)
    mirrored, rotation = _parse_rotation(words.rotation)
    quality, picture_format = _parse_picture(words.picture)
    look = Look(
        target=_parse_target(extensions.get("icc")),
        mirrored=mirrored,
        rotation=rotation,
        quality=quality,
        format=picture_format,
    )
    whole = region == Region(0, 0, image.columns, image.rows)
    canonical = Words(
        "full" if whole else f"{region.left},{region.top},{region.columns},{region.rows}",
        "max" if size == most else f"{size.columns},{size.rows}",
        f"{'!' if mirrored else ''}{rotation}",
        f"{'default' if quality is Quality.COLOUR else quality}.{picture_format}",
    )
    path, plane = (_parse_index(extensions.get(name)) for name in ("path", "plane"))
    return Understood(Asked(region, size, look, path, plane), canonical)


def parse_region(word: str, image: Size) -> Region:
    """Section 4.1: cropped at the image's edge; raises MalformedPictureError for nothing of it."""
    if word == "full":
        return Region(0, 0, image.columns, image.rows)
    if word == "square":
        side = min(image.columns, image.rows)
        return Region((image.columns - side) // 2, (image.rows - side) // 2, side, side)
    if word.startswith("pct:"):
        x, y, w, h = _numbers(word.removeprefix("pct:"), 4, _decimal)
        if not w or not h:
            raise _malformed("the region has no extent")
        left, right = (_nearest(share * image.columns / 100) for share in (x, x + w))
        top, bottom = (_nearest(share * image.rows / 100) for share in (y, y + h))
        right, bottom = max(right, left + 1), max(bottom, top + 1)
    else:
        left, top, columns, rows = map(int, _numbers(word, 4, _whole))
        right, bottom = left + columns, top + rows
    right, bottom = min(right, image.columns), min(bottom, image.rows)
    if right <= left or bottom <= top:
        raise _malformed("the region shows nothing of the image")
    return Region(left, top, right - left, bottom - top)


def parse_size(word: str, region: Size, bounds: Bounds) -> Size:
    """Section 4.2, without enlarging.

    Raises MalformedPictureError, EnlargedPictureError and PictureTooLargeError.
    """
    may_enlarge, form = word.startswith("^"), word.removeprefix("^")
    most = largest_within(region, bounds)
    if form == "max":
        if may_enlarge and most == region and _has_room(region, bounds):
            raise EnlargedPictureError("Pictures are not enlarged.")
        return most
    size = _scaled(form, region, most, bounds, may_enlarge=may_enlarge)
    if size.columns > region.columns or size.rows > region.rows:
        if may_enlarge:
            raise EnlargedPictureError("Pictures are not enlarged.")
        raise _malformed("the size is larger than the region")
    if not _is_within(size, bounds):
        raise PictureTooLargeError("Beyond the limits.", most.columns, most.rows)
    return size


def _scaled(form: str, region: Size, most: Size, bounds: Bounds, *, may_enlarge: bool) -> Size:
    """What every form but `max` says, enlarged or not."""
    if form.startswith("pct:"):
        (share,) = _numbers(form.removeprefix("pct:"), 1, _decimal)
        columns, rows = (_nearest(side * share / 100) for side in (region.columns, region.rows))
        if share > 100:
            columns, rows = max(columns, region.columns + 1), rows  # even if that rounds to it
    elif form.startswith("!"):
        width, height = _numbers(form.removeprefix("!"), 2, _whole)
        if not width or not height:
            raise _malformed("the size is empty")
        limit = Size(int(width), int(height))
        if not may_enlarge:
            limit = Size(min(limit.columns, most.columns), min(limit.rows, most.rows))
        return _confined(region, limit, bounds)
    else:
        width_word, comma, height_word = form.partition(",")
        if not comma or not (width_word or height_word):
            raise _malformed("the size is of no known form")
        columns = int(_whole(width_word)) if width_word else 0
        rows = int(_whole(height_word)) if height_word else 0
        if not width_word:
            columns = max(1, _nearest(Fraction(region.columns * rows, region.rows)))
        if not height_word:
            rows = max(1, _nearest(Fraction(region.rows * columns, region.columns)))
    if columns < 1 or rows < 1:
        raise _malformed("the size is less than a pixel")
    return Size(columns, rows)


def _confined(region: Size, limit: Size, bounds: Bounds) -> Size:
    """As large as possible within `limit`, of the region's shape."""
    share = min(Fraction(limit.columns, region.columns), Fraction(limit.rows, region.rows))
    size = Size(*(max(1, _nearest(side * share)) for side in (region.columns, region.rows)))
    return size if _is_within(size, bounds) else largest_within(size, bounds)


def largest_within(size: Size, bounds: Bounds) -> Size:
    """A size, or the largest of its shape that the bounds allow."""
    if _is_within(size, bounds):
        return size
    longest = min(max(size.columns, size.rows), bounds.longest_side)
    # width * height = longest^2 * short / long, of which rounding may add at most half a row.
    long, short = max(size.columns, size.rows), min(size.columns, size.rows)
    longest = min(longest, isqrt(bounds.pixels * long // short))
    while True:
        across = (_nearest(Fraction(side * longest, long)) for side in (size.columns, size.rows))
        found = Size(*(max(1, side) for side in across))
        if _is_within(found, bounds) or longest <= 1:
            return found
        longest -= 1


def _is_within(size: Size, bounds: Bounds) -> bool:
    side = max(size.columns, size.rows)
    return side <= bounds.longest_side and size.area <= bounds.pixels


def _has_room(size: Size, bounds: Bounds) -> bool:
    """Whether the bounds would allow one pixel more along the longer side."""
    longest = max(size.columns, size.rows)
    larger = Size(*(-(-side * (longest + 1) // longest) for side in (size.columns, size.rows)))
    return _is_within(larger, bounds)


def _parse_rotation(word: str) -> tuple[bool, int]:
    """Section 4.3: whether mirrored, and a multiple of 90 degrees."""
    degrees = _decimal(word.removeprefix("!"))
    if degrees > 360 or degrees % 90:
        raise _malformed("only multiples of 90 degrees are offered")
    return word.startswith("!"), int(degrees) % 360


def _parse_picture(word: str) -> tuple[Quality, PictureFormat]:
    """Sections 4.4 and 4.5."""
    quality, _, picture_format = word.rpartition(".")
    if quality == "default":
        quality = Quality.COLOUR
    try:
        return Quality(quality), PictureFormat(picture_format)
    except ValueError as error:
        raise _malformed("the quality or the format is not offered") from error


def _parse_target(word: str | None) -> Target | None:
    try:
        return None if word is None else Target(word)
    except ValueError as error:
        raise _malformed("the colours are not offered") from error


def _parse_index(word: str | None) -> int | None:
    return None if word is None else int(_whole(word))


def _numbers(text: str, count: int, parse: Callable[[str], Fraction]) -> list[Fraction]:
    words = text.split(",")
    if len(words) != count:
        raise _malformed(f"{count} numbers are asked for")
    return [parse(word) for word in words]


def _whole(word: str) -> Fraction:
    if _WHOLE.fullmatch(word) is None:
        raise _malformed("a number of pixels is a whole number")
    return Fraction(word)


def _decimal(word: str) -> Fraction:
    """Section 4.7: digits and a point alone."""
    if _DECIMAL.fullmatch(word) is None:
        raise _malformed("a number has digits and a point")
    return Fraction(word if word[-1] != "." else word[:-1])


def _nearest(value: Fraction) -> int:
    """The nearest whole number; halves upwards."""
    return int(value + Fraction(1, 2))


def _malformed(why: str) -> MalformedPictureError:
    return MalformedPictureError(f"The picture's address is not understood: {why}.")
