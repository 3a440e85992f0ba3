"""What the file says of the label, beside what its picture reads."""

import numpy as np
import pytest
import zxingcpp

from sgi.ingest.label import Label, read_label
from tiling.array_slide import ArraySlide
from tiling.errors import DamagedSlideError
from tiling.slide import BRIGHTFIELD_PATH, AssociatedKind, Pixels, SlideMetadata


def picture_of(text: str) -> Pixels:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix)
    grey = np.pad(np.asarray(code.to_image(scale=6)), 30, constant_values=255)
    return np.repeat(grey[..., None], 3, axis=2)


def slide(barcode: str | None, **pictures: Pixels) -> ArraySlide:
    return ArraySlide(
        np.full((1, 1, 64, 64, 3), 255, np.uint8),
        [BRIGHTFIELD_PATH],
        metadata=SlideMetadata(barcode=barcode),
        associated={AssociatedKind(kind): pixels for kind, pixels in pictures.items()},
    )


@pytest.mark.parametrize(
    ("said", "seen", "codes", "contradicts"),
    [
        (None, (), (), False),
        ("A-1", (), ("A-1",), False),
        (None, ("A-1",), ("A-1",), False),
        ("A-1", ("A-1",), ("A-1",), False),
        ("A-1", ("B-2", "A-1"), ("A-1", "B-2"), False),
        ("A-1", ("A - 1",), ("A-1", "A - 1"), False),
        ("A-1", ("B-2",), ("A-1", "B-2"), True),
        ("A-1", ("a-1",), ("A-1", "a-1"), True),
    ],
)
def test_the_files_code_comes_first_and_is_held_against_the_pictures(
    said: str | None, seen: tuple[str, ...], codes: tuple[str, ...], contradicts: bool
) -> None:
    label = Label(said, seen)
    assert label.barcodes == codes
    assert label.contradicts is contradicts


@pytest.mark.parametrize("kind", ["label", "overview"])
def test_a_picture_that_reads_otherwise_is_told(kind: str) -> None:
    label = read_label(slide("26H00999-Z9", **{kind: picture_of("26H00123-A1")}))
    assert label == Label("26H00999-Z9", ("26H00123-A1",))
    assert label.contradicts


def test_a_text_of_the_file_acts_on_nobody() -> None:
    assert read_label(slide("26H\x1b[31m1\n")).said == "26H\N{REPLACEMENT CHARACTER}[31m1"
    assert read_label(slide("1" * 5000)).said is None


def test_a_broken_picture_leaves_the_files_code(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = slide("A-1", label=picture_of("B-2"))

    def refuse(kind: AssociatedKind) -> Pixels:
        raise DamagedSlideError(f"The {kind} is broken.")

    monkeypatch.setattr(broken, "read_associated", refuse)
    assert read_label(broken) == Label("A-1", ())
