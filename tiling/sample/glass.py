"""The slide around the section: its paper label, the view of the whole glass, the thumbnail."""

import unicodedata

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tiling.slide import Pixels

_INK = (28, 30, 38)
_WARNING = (176, 24, 40)
_LINES = (
    (20, 30, "SGI", _INK),
    (50, 40, "24H00123  A1", _INK),
    (104, 26, "HES   colon", _INK),
    (146, 26, "29/02/2024", _INK),
    (214, 30, "SYNTHÉTIQUE", _WARNING),
    (252, 30, "SYNTHETIC", _WARNING),
    (312, 24, "ÉCHANTILLON - SAMPLE", _INK),
    (344, 18, "Aucun patient · No patient", _INK),
)
"""Each line of the label: its top and its height in pixels, its text and its ink."""
_LABEL_SIDE = 400
_ACUTE = "\u0301"


def draw_label() -> Pixels:
    """The paper label `(400, 400, 3)`, which says that no patient stands behind it."""
    image = Image.new("RGB", (_LABEL_SIDE, _LABEL_SIDE), (250, 249, 245))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((6, 6, 393, 393), 14, outline=(150, 150, 148), width=2)
    draw.line((24, 196, 376, 196), fill=(150, 150, 148), width=2)
    for top, height, text, ink in _LINES:
        _write(draw, (26, top), text, height, ink)
    return np.asarray(image)


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    height: int,
    ink: tuple[int, int, int],
) -> None:
    """Text in Pillow's own font, which has no accents: the acute is added by hand."""
    font = ImageFont.load_default(size=height)
    plain = unicodedata.normalize("NFD", text)
    left, top = place
    draw.text(place, plain.replace(_ACUTE, ""), fill=ink, font=font)
    for index in (i for i, letter in enumerate(plain) if letter == _ACUTE):
        before = plain[: index - 1].replace(_ACUTE, "")
        middle = left + font.getlength(before) + font.getlength(plain[index - 1]) / 2
        cap = top + font.getbbox("E")[1]
        stroke = (
            middle - height * 0.04,
            cap - height * 0.06,
            middle + height * 0.12,
            cap - height * 0.2,
        )
        draw.line(stroke, fill=ink, width=max(2, height // 13))


def draw_thumbnail(base: Pixels, longest: int = 1024) -> Pixels:
    """The section reduced so that its longer side is about `longest` pixels."""
    factor = max(1, -(-max(base.shape[:2]) // longest))
    # A stride first: averaging all of the base for a picture this small would be wasted.
    image = Image.fromarray(
        np.ascontiguousarray(base[:: max(1, factor // 3), :: max(1, factor // 3)])
    )
    size = (max(1, base.shape[1] // factor), max(1, base.shape[0] // factor))
    return np.asarray(image.resize(size, Image.Resampling.BOX))


def draw_overview(base: Pixels, label: Pixels) -> Pixels:
    """The whole glass `(430, 1280, 3)` as a camera sees it: label on the left, tissue behind it."""
    image = Image.new("RGB", (1280, 430), (58, 60, 64))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((12, 12, 1267, 417), 10, fill=(226, 228, 229), outline=(190, 194, 196))
    draw.rectangle((424, 18, 1246, 411), fill=(234, 236, 236), outline=(206, 210, 211))
    paper = Image.fromarray(label).resize((372, 372), Image.Resampling.LANCZOS)
    image.paste(paper, (28, 29))
    section = Image.fromarray(draw_thumbnail(base, longest=420))
    # Tissue darkens the glass it lies on, wherever the camera stands.
    place = (835 - section.width // 2, 215 - section.height // 2)
    area = image.crop((*place, place[0] + section.width, place[1] + section.height))
    shaded = np.asarray(area).astype(np.uint16) * np.asarray(section) // 246
    image.paste(Image.fromarray(np.asarray(np.minimum(shaded, 255), np.uint8)), place)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.7)))
