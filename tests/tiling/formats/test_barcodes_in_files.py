"""The barcode and the label's text that the scanner wrote, in every format that has a place."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from tiling.formats.aperio.description import parse_description
from tiling.formats.fallback.metadata import read_barcode
from tiling.registry import open_slide

MakeSlide = Callable[..., Path]
CODE = "26H00123-A1"
SYNTHETIC = {
    "aperio-jpeg.svs": (CODE, None),
    "aperio-33003.svs": (CODE, None),
    "leica.scn": (CODE, None),
    "philips.tiff": (CODE, None),
    "ventana.bif": (CODE, None),
    "mirax.mrxs": (CODE, None),
    "zeiss-zstd0.czi": (CODE, None),
    "hamamatsu.ndpi": (None, CODE),
    "hamamatsu-vms/synth-20x.vms": (None, CODE),
}


@pytest.mark.parametrize("name", SYNTHETIC)
def test_the_files_own_words_are_told(shared_slides: Path, name: str) -> None:
    reader = open_slide(shared_slides / "synthetic" / name)
    try:
        assert (reader.metadata.barcode, reader.metadata.label_text) == SYNTHETIC[name]
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Aperio|Barcode = 26H00123-A1", CODE), ("Aperio|Barcode = ", None), ("Aperio", None)],
)
def test_aperio_tells_it_among_its_fields(text: str, expected: str | None) -> None:
    assert parse_description(text, None).barcode == expected


@pytest.mark.parametrize(
    "extra", ["<barcode>MjZIMDAxMjMtQTE=</barcode>", "<barcode>26H00123-A1</barcode>"]
)
def test_leica_tells_it_of_the_collection(leica: MakeSlide, extra: str) -> None:
    assert open_slide(leica(extra=extra)).metadata.barcode == CODE
    assert open_slide(leica()).metadata.barcode is None


@pytest.mark.parametrize("scanner", ["leica", "philips"])
def test_a_code_of_several_fields_is_read_whole(
    request: pytest.FixtureRequest, scanner: str
) -> None:
    """As the INS datamatrix, which the scanner takes for the slide's."""
    fields = "IS01S1x\x1dS2y\x1dS3z"
    packed = base64.b64encode(fields.encode()).decode()
    make: MakeSlide = request.getfixturevalue(scanner)
    if scanner == "leica":
        path = make(extra=f"<barcode>{packed}</barcode>")
    else:
        path = make(said={"PIM_DP_UFS_BARCODE": packed})
    assert open_slide(path).metadata.barcode == fields


def test_ventana_tells_it_of_the_scan(ventana: MakeSlide) -> None:
    path = ventana()
    assert open_slide(path).metadata.barcode is None
    # The room is that of the serial number, so that nothing in the file moves.
    data = path.read_bytes()
    old, new = b'UnitNumber="2000515" Barcode2D=""', b'Barcode1D="26H00123-A1"'
    path.write_bytes(data.replace(old, new.ljust(len(old))))
    assert open_slide(path).metadata.barcode == CODE


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, None),
        ({"aperio.Barcode": CODE}, CODE),
        ({"leica.barcode": CODE}, CODE),
        ({"philips.PIM_DP_UFS_BARCODE": "MjZIMDAxMjMtQTE="}, CODE),
        ({"ventana.Barcode1D": "1", "ventana.Barcode2D": CODE}, CODE),
        ({"ventana.Barcode1D": CODE, "ventana.Barcode2D": ""}, CODE),
        ({"mirax.NONHIERLAYER_0_LEVEL_1_SECTION.BARCODE_VALUE": CODE}, CODE),
        ({"mirax.NONHIERLAYER_0_LEVEL_1_SECTION.BARCODE_TYPE": "QR"}, None),
    ],
)
def test_openslide_passes_it_on(properties: dict[str, str], expected: str | None) -> None:
    assert read_barcode(properties) == expected
