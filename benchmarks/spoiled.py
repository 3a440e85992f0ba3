"""Ways to spoil a slide, each with strengths, and what the quality gate should say of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sgi.domain.quality import FindingCode
from sgi.ingest.quality.testing import blur
from sgi.ingest.quality.views import Image

Change = Callable[[Image, float], Image]


@dataclass(frozen=True, slots=True)
class Spoiling:
    """One way to spoil the pixels of a base."""

    name: str
    change: Change
    strengths: tuple[float, ...]
    unit: str
    expected: tuple[FindingCode, ...]
    """Any of these is a hit; empty when the change is harmless and every finding is false."""
    needs_overview: bool = False


def blur_part(base: Image, share: float) -> Image:
    """A strip of all the height, `share` of the width, by 3 pixels."""
    first = round(base.shape[1] * (0.5 - share / 2))
    last = round(base.shape[1] * (0.5 + share / 2))
    spoiled = base.copy()
    spoiled[:, first:last] = blur(base[:, first:last], 3)
    return spoiled


def shift_strips(base: Image, pixels: float) -> Image:
    """Every other strip of 600 columns moved down."""
    spoiled = base.copy()
    for left in range(300, base.shape[1], 1200):
        spoiled[:, left : left + 600] = np.roll(base[:, left : left + 600], round(pixels), axis=0)
    return spoiled


def cut_off(base: Image, share: float) -> Image:
    """The right part was never scanned: the image is narrower."""
    return base[:, : round(base.shape[1] * (1 - share))]


def blank_strip(base: Image, share: float) -> Image:
    """A strip of the width is empty glass."""
    first = round(base.shape[1] * 0.4)
    spoiled = base.copy()
    spoiled[:, first : first + round(base.shape[1] * share)] = 244
    return spoiled


def stripe(base: Image, percent: float) -> Image:
    """Every other strip of 350 columns is darker."""
    spoiled = base.copy()
    for left in range(200, base.shape[1], 700):
        spoiled[:, left : left + 350] = brighten(base[:, left : left + 350], 1 - percent / 100)
    return spoiled


def brighten(base: Image, factor: float) -> Image:
    """More or less light, cut off at full scale."""
    return np.asarray(np.clip(base * np.float32(factor) + 0.5, 0, 255), np.uint8)


def write(colour: tuple[int, int, int]) -> Change:
    """A pen's stroke of that colour across the slide, through which a little is seen."""

    def stroke(base: Image, share: float) -> Image:
        rows, columns = base.shape[:2]
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        middle = rows * (0.5 + 0.15 * np.sin(x / columns * 5))
        inside = np.clip((rows * share / 2 - np.abs(y - middle)) / 4, 0, 1)[:, :, None]
        under = np.array(colour, np.float32) * (0.85 + 0.15 * base / np.float32(255))
        return np.asarray(base * (1 - inside) + under * inside, np.uint8)

    return stroke


def add_noise(base: Image, deviation: float) -> Image:
    """A camera's noise, in grey levels."""
    rng = np.random.default_rng(7)
    noise = rng.normal(0, deviation, base.shape).astype(np.float32)
    return np.asarray(np.clip(base + noise + 0.5, 0, 255), np.uint8)


def fade(base: Image, share: float) -> Image:
    """A paler stain: that share of the contrast with white is lost."""
    return np.asarray(255 - (255 - base) * np.float32(1 - share), np.uint8)


def sharpen(base: Image, amount: float) -> Image:
    """A scanner's own sharpening."""
    soft = blur(base, 1.0).astype(np.float32)
    return np.asarray(np.clip(base + amount * (base - soft) + 0.5, 0, 255), np.uint8)


_FOCUS = (FindingCode.OUT_OF_FOCUS,)
_MISSING = (FindingCode.MISSING_TISSUE,)
_JOINED = (FindingCode.SEAMS, FindingCode.STRIPES)
_DARK = (FindingCode.UNDEREXPOSED, FindingCode.DIM)
SPOILINGS = (
    Spoiling("blur, all of it", blur, (1.0, 1.5, 2.0, 3.0, 5.0, 8.0), "px sigma", _FOCUS),
    Spoiling("blur of 3 px, part", blur_part, (0.05, 0.1, 0.2, 0.4), "of width", _FOCUS),
    Spoiling("strips shifted", shift_strips, (1, 2, 4, 8, 16), "px", _JOINED),
    Spoiling("not scanned", cut_off, (0.05, 0.1, 0.2, 0.4), "of width", _MISSING, True),
    Spoiling("blank strip", blank_strip, (0.05, 0.1, 0.2, 0.3), "of width", _MISSING, True),
    Spoiling("stripes", stripe, (1, 2, 4, 8), "% darker", _JOINED),
    Spoiling("too bright", brighten, (1.2, 1.4, 1.8), "x light", (FindingCode.OVEREXPOSED,)),
    Spoiling("too dark", brighten, (0.7, 0.5, 0.3), "x light", _DARK),
    *(
        Spoiling(f"{name} pen", write(colour), (0.03, 0.08), "of height", (FindingCode.PEN,))
        for name, colour in (
            ("blue", (30, 50, 170)),
            ("green", (20, 130, 70)),
            ("black", (25, 25, 30)),
            ("red", (205, 25, 40)),
        )
    ),
    Spoiling("noise", add_noise, (2, 4), "levels", ()),
    Spoiling("paler stain", fade, (0.3, 0.5), "lost", ()),
    Spoiling("sharpening", sharpen, (0.5, 1.0), "amount", ()),
    Spoiling("a little light", brighten, (0.9, 1.04), "x light", ()),
    Spoiling("blur, harmless", blur, (0.5, 0.7), "px sigma", ()),
)
