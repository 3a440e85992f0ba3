"""Codes that zxing-cpp itself wrote, as a scanner's camera may see them."""

import io
import math
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from sgi.ingest import barcodes
from sgi.ingest.barcodes import Barcode, BarcodeFormat, clean_text, read_barcodes
from tiling.slide import Pixels

WRITTEN = {
    BarcodeFormat.DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
    BarcodeFormat.QR_CODE: zxingcpp.BarcodeFormat.QRCode,
    BarcodeFormat.AZTEC: zxingcpp.BarcodeFormat.Aztec,
    BarcodeFormat.PDF417: zxingcpp.BarcodeFormat.PDF417,
    BarcodeFormat.CODE_128: zxingcpp.BarcodeFormat.Code128,
    BarcodeFormat.CODE_39: zxingcpp.BarcodeFormat.Code39,
}
LINEAR = {BarcodeFormat.CODE_128, BarcodeFormat.CODE_39}
TEXT = "24H0123-A1"
INS = (
    "IS010000000000000000000000S1279036599999912S21.2.250.1.213.1.4.8\x1d"
    "S3ANNE MARIE\x1dS4DUPONT\x1dS5FS601-03-1979S763220"
)
"""The invented matrix of a French patient: GS ends each field that is shorter than it may be."""


def draw_code(
    kind: BarcodeFormat, text: str | bytes = TEXT, scale: int | None = None
) -> Image.Image:
    scale = scale or (2 if kind in LINEAR else 3)
    code = zxingcpp.create_barcode(text, WRITTEN[kind])
    return Image.fromarray(np.asarray(code.to_image(scale=scale)))


def photograph(
    code: Image.Image,
    degrees: float = 0,
    *,
    blur: float = 0,
    noise: float = 0,
    ink: int = 20,
    paper: int = 230,
) -> Pixels:
    """A label with one code in the middle, turned clockwise."""
    side = int(max(code.size) * 1.5) + 60
    label = Image.new("L", (side, side), 255)
    label.paste(code, ((side - code.width) // 2, (side - code.height) // 2))
    label = label.rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=255)
    label = label.filter(ImageFilter.GaussianBlur(blur))
    seen = np.asarray(label) / 255 * (paper - ink) + ink
    seen += np.random.default_rng(3).normal(0, noise, seen.shape)
    grey = np.clip(seen, 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def assert_read(label: Pixels, kind: BarcodeFormat, text: str = TEXT) -> Barcode:
    (found,) = read_barcodes(label)
    assert (found.format, found.text) == (kind, text)
    return found


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("degrees", [0, 30, 67, 98, 180, 225, 285])
def test_a_code_is_read_in_any_rotation(kind: BarcodeFormat, degrees: int) -> None:
    label = photograph(draw_code(kind), degrees)
    found = assert_read(label, kind)
    middle = np.mean(found.corners, axis=0)
    assert np.abs(middle - label.shape[0] / 2).max() < 0.1 * label.shape[0]
    # Bars are followed along a line that may cross them askew.
    off = (found.rotation_degrees - degrees) % 360
    assert min(off, 360 - off) <= (20 if kind in LINEAR else 5)


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize(
    "seen",
    [
        {"noise": 30, "degrees": 3},
        {"blur": 0.9, "degrees": 33},
        {"blur": 0.6, "noise": 15, "degrees": 92},
        {"ink": 90, "paper": 105, "noise": 1, "degrees": 62},
    ],
    ids=["noise", "blur", "blur and noise", "faint"],
)
def test_a_poor_photograph_is_read(kind: BarcodeFormat, seen: dict[str, float]) -> None:
    assert_read(photograph(draw_code(kind), **seen), kind)


@pytest.mark.parametrize("kind", list(WRITTEN)[:3])
def test_a_matrix_may_be_light_on_dark(kind: BarcodeFormat) -> None:
    assert_read(photograph(draw_code(kind), 9, ink=240, paper=30), kind)


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_is_found_only_in_a_larger_copy_is_told_where_it_lies(kind: BarcodeFormat) -> None:
    """In steps of 2 pixels and blurred, so that most need another look."""
    blur = 0.6 if kind is BarcodeFormat.AZTEC else 0.9
    label = photograph(draw_code(kind, scale=2), 20, blur=blur)
    found = assert_read(label, kind)
    assert all(0 <= value <= label.shape[0] for corner in found.corners for value in corner)


def test_separators_of_an_ins_matrix_stay() -> None:
    assert_read(
        photograph(draw_code(BarcodeFormat.DATA_MATRIX, INS)), BarcodeFormat.DATA_MATRIX, INS
    )


def test_several_codes_come_from_the_top_downwards_and_each_once() -> None:
    label = np.full((500, 500, 3), 255, np.uint8)
    kinds = [BarcodeFormat.CODE_128, BarcodeFormat.DATA_MATRIX, BarcodeFormat.QR_CODE]
    for index, kind in enumerate(kinds):
        code = np.asarray(draw_code(kind, f"24H{index}", 2))[:, :, None]
        for left in (20, 240):
            label[20 + 150 * index :, left:][: code.shape[0], : code.shape[1]] = code
    assert [(code.format, code.text) for code in read_barcodes(label)] == [
        (kind, f"24H{index}") for index, kind in enumerate(kinds)
    ]


def test_a_large_photograph_is_reduced() -> None:
    code = draw_code(BarcodeFormat.DATA_MATRIX, scale=40)
    label = photograph(code.resize((2000, 2000), Image.Resampling.NEAREST), 12)
    assert label.shape[0] > 3000
    corners = assert_read(label, BarcodeFormat.DATA_MATRIX).corners
    assert max(max(corner) for corner in corners) > 1600


def test_nothing_is_found_where_nothing_is() -> None:
    rng = np.random.default_rng(5)
    assert read_barcodes(np.full((300, 200, 3), 255, np.uint8)) == []
    assert read_barcodes(rng.integers(0, 256, (200, 300, 3), np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3000, 3), (3000, 1, 3), (2, 5, 3)])
def test_a_sliver_is_looked_at_too(shape: tuple[int, int, int]) -> None:
    assert read_barcodes(np.zeros(shape, np.uint8)) == []


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3), np.uint16),
        np.zeros((0, 9, 3), np.uint8),
    ],
)
def test_another_array_is_refused(array: Pixels) -> None:
    with pytest.raises(ValueError, match="a label is"):
        read_barcodes(array)


def test_looking_ends_when_its_time_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(barcodes, "_read_copy", lambda *seen: looked.append(seen) or [])
    read_barcodes(np.zeros((9, 9, 3), np.uint8))
    assert len(looked) > 5
    looked.clear()
    monkeypatch.setattr(barcodes, "_MOST_CPU_S", -1.0)
    assert read_barcodes(np.zeros((9, 9, 3), np.uint8)) == []
    assert looked == []


def test_no_more_codes_than_a_label_has() -> None:
    codes = [np.asarray(draw_code(BarcodeFormat.DATA_MATRIX, f"A{n:03}", 2)) for n in range(64)]
    grid = np.vstack([np.hstack(codes[row : row + 8]) for row in range(0, 64, 8)])
    assert len(read_barcodes(np.repeat(grid[:, :, None], 3, axis=2))) == barcodes.MOST_CODES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  24H0001\r\n", "24H0001"),
        ("A\tB\nC", "A B C"),
        ("A\0B", "A\ufffdB"),
        ("A\x1b[2JB", "A\ufffd[2JB"),
        ("A\u202eB", "A\ufffdB"),
        ("A\ud800B", "A\ufffdB"),
        ("A\u2028B", "A\ufffdB"),
        ("\x1dA\x1eB\x04", "\x1dA\x1eB\x04"),
        ("é 漢", "é 漢"),
        ("", None),
        (" \r\n ", None),
        ("A" * barcodes.MOST_CHARACTERS, "A" * barcodes.MOST_CHARACTERS),
        ("A" * (barcodes.MOST_CHARACTERS + 1), None),
    ],
)
def test_a_text_is_told_without_characters_that_act(text: str, expected: str | None) -> None:
    assert clean_text(text) == expected


@given(st.text(max_size=1200))
def test_a_told_text_is_harmless(text: str) -> None:
    told = clean_text(text)
    if told is not None:
        assert 0 < len(told) <= barcodes.MOST_CHARACTERS
        assert told == clean_text(told)
        told.encode()
        controls = {c for c in told if unicodedata.category(c)[0] == "C"}
        assert controls <= set(barcodes.SEPARATORS)


@given(st.binary(min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_bytes_in_a_code_are_a_value(payload: bytes) -> None:
    found = read_barcodes(photograph(draw_code(BarcodeFormat.DATA_MATRIX, payload, 2)))
    assert all("\0" not in code.text for code in found)


@given(
    seed=st.integers(0, 1000),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    levels=st.integers(1, 256),
)
@settings(max_examples=25, deadline=None)
def test_any_image_is_a_value(seed: int, size: tuple[int, int], levels: int) -> None:
    rng = np.random.default_rng(seed)
    assert isinstance(read_barcodes(rng.integers(0, levels, (*size, 3), np.uint8)), list)


def test_rotation_is_clockwise() -> None:
    corners = ((0.0, 0.0), (0.0, 9.0), (-9.0, 9.0), (-9.0, 0.0))
    code = Barcode(BarcodeFormat.QR_CODE, "A", corners)
    assert math.isclose(code.rotation_degrees, 90)


def test_the_photographed_label_is_read(shared_slides: Path) -> None:
    data = (shared_slides / "labels" / "sample_label.jpg").read_bytes()
    label = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    (found,) = read_barcodes(label)
    assert found.format is BarcodeFormat.DATA_MATRIX
    assert "C17-3456" in found.text.split(";")
    turned = read_barcodes(np.ascontiguousarray(np.rot90(label)))
    assert [code.text for code in turned] == [found.text]
