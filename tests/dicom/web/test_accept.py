import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.web.accept import Offer, choose, parse_accept
from dicom.web.errors import NotAcceptableError
from dicom.web.media import EXPLICIT_LITTLE_ENDIAN, JPEG, OCTETS

BASELINE = "1.2.840.10008.1.2.4.50"
STORED, STORED_IN_PARTS = Offer(JPEG, BASELINE), Offer(JPEG, BASELINE, multipart=True)
OCTETS_IN_PARTS = Offer(OCTETS, BASELINE, multipart=True, is_default=False)
RAW, RAW_IN_PARTS = (
    Offer(OCTETS, EXPLICIT_LITTLE_ENDIAN),
    Offer(OCTETS, EXPLICIT_LITTLE_ENDIAN, multipart=True),
)
OFFERS = (
    STORED,
    Offer(OCTETS, BASELINE, is_default=False),
    RAW,
    STORED_IN_PARTS,
    OCTETS_IN_PARTS,
    RAW_IN_PARTS,
)


@pytest.mark.parametrize(
    ("accept", "offer"),
    [
        (None, STORED),
        ("", STORED),
        ("*/*", STORED),
        ("image/jpeg", STORED),
        ("image/*", STORED),
        ("image/avif,image/webp,*/*;q=0.8", STORED),
        (f"image/jpeg; transfer-syntax={BASELINE}", STORED),
        ("application/octet-stream", RAW),
        ("multipart/related", STORED_IN_PARTS),
        ('multipart/related; type="*/*"', STORED_IN_PARTS),
        ('multipart/related; type="image/jpeg"', STORED_IN_PARTS),
        ("multipart/related; type=image/jpeg", STORED_IN_PARTS),
        ('multipart/related;type="image/*"', STORED_IN_PARTS),
        ('Multipart/Related; Type="image/jpeg"; Transfer-Syntax=*', STORED_IN_PARTS),
        (f'multipart/related; type="image/jpeg; transfer-syntax={BASELINE}"', STORED_IN_PARTS),
        ('multipart/related; type="application/octet-stream"', RAW_IN_PARTS),
        ('multipart/related; type="application/octet-stream"; transfer-syntax=*', OCTETS_IN_PARTS),
        (
            f'multipart/related; type="{OCTETS}"; transfer-syntax={EXPLICIT_LITTLE_ENDIAN}',
            RAW_IN_PARTS,
        ),
        (
            'multipart/related; type="application/octet-stream", '
            'multipart/related; type="image/jls", multipart/related; type="image/jpeg"',
            STORED_IN_PARTS,
        ),
        ('image/jpeg;q=0.5, multipart/related; type="application/octet-stream"', RAW_IN_PARTS),
        ("image/png, image/jpeg;q=0.1", STORED),
    ],
)
def test_the_stored_form_wherever_it_is_taken(accept: str | None, offer: Offer) -> None:
    assert choose(accept, OFFERS) == offer


@pytest.mark.parametrize(
    "accept",
    [
        "image/png",
        "application/dicom+xml",
        "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.70",
        "image/jpeg;q=0",
        "image/jpeg;q=nan",
        "image/jpeg;q=x",
        "nonsense",
        "image/jpeg garbage",
        'multipart/related; type="image/jpeg',
        "text/html," * 200,
        "x" * 9000,
        ",",
    ],
)
def test_nothing_of_it_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptableError):
        choose(accept, OFFERS)


def test_other_names_of_a_media_type() -> None:
    offers = [Offer("image/jls", "1.2.840.10008.1.2.4.80")]
    assert choose("image/x-jls", offers) == offers[0]


@given(st.text(max_size=200))
def test_any_header_is_read_or_refused(text: str) -> None:
    try:
        wanted = parse_accept(text)
    except NotAcceptableError:
        return
    assert all("/" in each.media_type for each in wanted)
