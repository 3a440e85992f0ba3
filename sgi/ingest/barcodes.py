"""The barcodes of a label, as they were printed.

A label is photographed, seldom straight and never twice the same: what is not found at first is
looked for again in copies that are larger, smoother, of more contrast or turned. Effort is
bounded by a fixed list of copies, by their pixels and by processor time. Anybody can print a code:
its text is told with bounded length and without characters that would be obeyed rather than read.
"""

import math
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import zxingcpp
from PIL import Image, ImageFilter, ImageOps

from tiling.slide import Pixels

MOST_CODES = 32
"""Told of one label; beyond that it is no label."""
MOST_CHARACTERS = 1024
"""Of one code; a longer one is left out, since part of an identifier is another identifier."""
_MOST_PIXELS = 1 << 22
"""Of any copy that is looked at: a larger image is reduced, a small one not enlarged beyond."""
_MOST_CPU_S = 5.0
"""No further copy is looked at after this; a picture full of false beginnings takes some 2 s each,
a label some 50 ms."""
SEPARATORS = "\x1c\x1d\x1e\x1f\x04"
"""FS, GS, RS, US and EOT stay in texts: the INS datamatrix and ISO 15434 part their fields so."""
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_LINE_BREAKS = "\t\r\n"

Point = tuple[float, float]
"""Column and row in pixels of the label image, from its upper left."""


class BarcodeFormat(StrEnum):
    """The kinds of code that are looked for."""

    DATA_MATRIX = "Data Matrix"
    QR_CODE = "QR Code"
    AZTEC = "Aztec"
    PDF417 = "PDF417"
    CODE_128 = "Code 128"
    CODE_39 = "Code 39"


@dataclass(frozen=True, slots=True)
class Barcode:
    """One code that was read whole, its own error correction satisfied."""

    format: BarcodeFormat
    text: str
    """1 to `MOST_CHARACTERS` characters; no control characters but `SEPARATORS`. U+FFFD stands for
    one that was there, so that no two codes become the same."""
    corners: tuple[Point, Point, Point, Point]
    """Upper left, upper right, lower right and lower left of the code as it is to be read."""

    @property
    def rotation_degrees(self) -> float:
        """How far the code is turned clockwise in the image, 0 to 360."""
        (left, top), (right, bottom) = self.corners[:2]
        return math.degrees(math.atan2(bottom - top, right - left)) % 360


_FORMATS = {
    zxingcpp.BarcodeFormat.DataMatrix: BarcodeFormat.DATA_MATRIX,
    zxingcpp.BarcodeFormat.QRCode: BarcodeFormat.QR_CODE,
    zxingcpp.BarcodeFormat.Aztec: BarcodeFormat.AZTEC,
    zxingcpp.BarcodeFormat.PDF417: BarcodeFormat.PDF417,
    zxingcpp.BarcodeFormat.Code128: BarcodeFormat.CODE_128,
    zxingcpp.BarcodeFormat.Code39: BarcodeFormat.CODE_39,
}
_WANTED = zxingcpp.BarcodeFormats(list(_FORMATS))


def _as_it_is(image: Image.Image) -> Image.Image:
    return image


def _without_specks(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.MedianFilter(3))


def _smooth(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(2))


def _of_full_contrast(image: Image.Image) -> Image.Image:
    return ImageOps.autocontrast(image, cutoff=1)


@dataclass(frozen=True, slots=True)
class _Copy:
    """How an image is changed before it is looked at."""

    degrees: float = 0
    scale: float = 1
    change: Callable[[Image.Image], Image.Image] = _as_it_is


_COPIES = (
    _Copy(),
    _Copy(scale=2),
    _Copy(change=_without_specks),
    _Copy(scale=2, change=_smooth),
    _Copy(change=_of_full_contrast),
    # Matrix codes are found at any angle, bars within 7 to 15 degrees of both axes.
    _Copy(45, change=_of_full_contrast),
    _Copy(30, change=_of_full_contrast),
    _Copy(60, change=_of_full_contrast),
    _Copy(15, change=_of_full_contrast),
    _Copy(75, change=_of_full_contrast),
    _Copy(30, scale=2),
    _Copy(60, scale=2),
    _Copy(45, scale=2, change=_smooth),
    _Copy(22, scale=2, change=_smooth),
    _Copy(68, scale=2, change=_smooth),
)
"""Until something is found: each finds codes that none before it does."""


def read_barcodes(label: Pixels) -> list[Barcode]:
    """Every code of a label image `(rows, columns, 3)`, in any rotation; empty when none is found.

    Each once, at most `MOST_CODES`, from the top downwards. Takes no more than a few seconds of
    one processor, whatever the image shows. Raises ValueError for any other array.
    """
    if label.ndim != 3 or label.shape[2] != 3 or label.dtype != np.uint8 or not label.size:
        raise ValueError(f"a label is (rows, columns, 3) of bytes, not {label.shape}")
    grey = Image.fromarray(np.ascontiguousarray(label)).convert("L")
    fits = min(1.0, math.sqrt(_MOST_PIXELS / (grey.width * grey.height)))
    began_s = time.thread_time()
    for copy in _COPIES:
        if time.thread_time() - began_s > _MOST_CPU_S:
            break
        scale = copy.scale * fits
        if scale > fits and grey.width * grey.height * scale**2 > _MOST_PIXELS:
            scale = fits
        found = _read_copy(grey, copy, scale)
        if found:
            # A code may be found in parts, or be printed twice: it is told once.
            unique = {(code.format, code.text): code for code in found}
            ordered = sorted(unique.values(), key=lambda code: code.corners[0][::-1])
            return ordered[:MOST_CODES]
    return []


def _read_copy(grey: Image.Image, copy: _Copy, scale: float) -> list[Barcode]:
    turned, back = _turn(grey, copy.degrees, scale)
    codes = zxingcpp.read_barcodes(
        np.asarray(copy.change(turned)), formats=_WANTED, text_mode=zxingcpp.TextMode.Plain
    )
    return list(_told(codes, back))


def _told(codes: list[zxingcpp.Barcode], back: "_Affine") -> Iterator[Barcode]:
    for code in codes:
        kind = _FORMATS.get(code.format.symbology)
        text = clean_text(code.text)
        if kind is not None and code.valid and text is not None:
            at = code.position
            corners = (
                back.apply(at.top_left.x, at.top_left.y),
                back.apply(at.top_right.x, at.top_right.y),
                back.apply(at.bottom_right.x, at.bottom_right.y),
                back.apply(at.bottom_left.x, at.bottom_left.y),
            )
            yield Barcode(kind, text, corners)


def clean_text(text: str) -> str | None:
    """A code's text without characters that act; None when nothing is left or it is too long.

    Space at the ends is left out and a line break inside is a space.
    """
    if len(text) > MOST_CHARACTERS:
        return None
    shown = "".join(map(_shown, text)).strip(" ")
    return shown or None


def _shown(character: str) -> str:
    if character in SEPARATORS:
        return character
    if character in _LINE_BREAKS:
        return " "
    # Controls, bidirectional and other formats, surrogates, private and unassigned ones, and the
    # separators of lines and paragraphs.
    acts = unicodedata.category(character)
    return _REPLACEMENT if acts[0] == "C" or acts in {"Zl", "Zp"} else character


@dataclass(frozen=True, slots=True)
class _Affine:
    """From a copy's pixels to the image's: the six numbers that Pillow takes."""

    numbers: tuple[float, float, float, float, float, float]

    def apply(self, x: float, y: float) -> Point:
        a, b, c, d, e, f = self.numbers
        return a * x + b * y + c, d * x + e * y + f


def _turn(grey: Image.Image, degrees: float, scale: float) -> tuple[Image.Image, _Affine]:
    """The image, scaled and turned clockwise on a canvas that holds all of it, and the way back.

    The canvas is never of more than `_MOST_PIXELS`: where it would be, the image is made smaller.
    """
    if degrees == 0 and scale == 1:
        return grey, _Affine((1, 0, 0, 0, 1, 0))
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    columns, rows = (
        abs(grey.width * x) + abs(grey.height * y) for x, y in ((cos, sin), (sin, cos))
    )
    scale = min(scale, math.sqrt(_MOST_PIXELS / (columns * rows)))
    width, height = max(1, int(columns * scale)), max(1, int(rows * scale))
    a, b = cos / scale, sin / scale
    # The centre stays the centre.
    c = grey.width / 2 - a * width / 2 - b * height / 2
    f = grey.height / 2 + b * width / 2 - a * height / 2
    back = _Affine((a, b, c, -b, a, f))
    if scale < 1:
        # Pillow's transformation looks at no more than 4 x 4 pixels: what is reduced is smoothed.
        grey = grey.filter(ImageFilter.BoxBlur((1 / scale - 1) / 2))
    paper = int(np.median(np.asarray(grey.reduce(max(1, min(grey.size) // 64)))))
    turned = grey.transform(
        (width, height),
        Image.Transform.AFFINE,
        back.numbers,
        Image.Resampling.BICUBIC,
        fillcolor=paper,
    )
    return turned, back
