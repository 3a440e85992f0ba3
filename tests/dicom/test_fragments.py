import pytest

from dicom.fragments import begins_frame, padding_after


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xe0",
        b"\xff\xd8\xff\xf7",
        b"\xff\x4f\xff\x51",
        b"\xff\x0a\x00",
        b"\x00\x00\x00\x0cJXL ",
    ],
)
def test_marks_of_compressed_images(data: bytes) -> None:
    assert begins_frame(data)


def test_what_goes_on_with_a_frame() -> None:
    assert not begins_frame(b"\xff\xd9\x00\x00")
    assert not begins_frame(b"")


@pytest.mark.parametrize(
    ("tail", "padding"),
    [(b"12\xff\xd9", 0), (b"12\xff\xd9\0", 1), (b"\xff\xd9\0\0\0", 3), (b"12\0\0", 0), (b"", 0)],
)
def test_padding(tail: bytes, padding: int) -> None:
    assert padding_after(tail) == padding
