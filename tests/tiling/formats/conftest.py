"""One small slide of each vendor's, written here so that no scanner's file is needed."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from tiling.codecs import jpeg
from tiling.downsample import halve
from tiling.geometry import Size
from tiling.jpeg_tiff.testing import WrittenImage, write_jpeg_tiff
from tiling.slide import Pixels
from tiling.testing import draw_pattern

BASE = draw_pattern(700, 600)
LABEL, OVERVIEW, THUMBNAIL = draw_pattern(90, 80), draw_pattern(240, 90), draw_pattern(120, 100)
TILE = 128

MakeSlide = Callable[..., Path]


def pyramid(base: Pixels, factors: Sequence[int] = (1, 2, 4)) -> list[Pixels]:
    levels, reached = [], 1
    for factor in factors:
        while reached < factor:
            base, reached = halve(base), reached * 2
        levels.append(base)
    return levels


def level(pixels: Pixels, **said: object) -> WrittenImage:
    return replace(WrittenImage(pixels, tile=TILE), **said)  # type: ignore[arg-type]


@pytest.fixture
def leica(tmp_path: Path) -> MakeSlide:
    """`light` and `areas` change what is on the glass; `extra` goes into the collection."""

    def make(light: str = "brightfield", areas: int = 1, extra: str = "", z: str = "0") -> Path:
        glass = draw_pattern(200, 400)
        images = [level(glass), *(level(pixels, per_mm=(2000, 2000)) for pixels in pyramid(BASE))]
        settings = (
            "<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings>"
            f"<illuminationSettings><illuminationSource>{light}</illuminationSource>"
            "</illuminationSettings></scanSettings>"
        )
        macro = (
            '<image><pixels><dimension sizeX="200" sizeY="400" ifd="0"/></pixels>'
            '<view sizeX="2000000" sizeY="4000000" offsetX="0" offsetY="0"/>'
            + settings.replace(light, "brightfield")
            + "</image>"
        )
        area = (
            "<image><creationDate>2026-03-12T10:11:12.5Z</creationDate>"
            '<device model="Leica SCN400" version="1.4"/><pixels>'
            + "".join(
                f'<dimension sizeX="{i.pixels.shape[1]}" sizeY="{i.pixels.shape[0]}" ifd="{n}"'
                f' z="{z if n == 3 else 0}"/>'
                for n, i in enumerate(images[1:], start=1)
            )
            + '</pixels><view sizeX="350000" sizeY="300000" offsetX="400000" offsetY="1500000"/>'
            f"{settings}</image>"
        )
        description = (
            '<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">'
            f'<collection sizeX="2000000" sizeY="4000000">{extra}{macro}{area * areas}'
            "</collection></scn>"
        )
        images[0] = replace(images[0], description=description)
        path = tmp_path / "leica.scn"
        write_jpeg_tiff(path, images, big=True)
        return path

    return make


@pytest.fixture
def philips(tmp_path: Path) -> MakeSlide:
    """`in_xml` keeps label and overview in the XML; `left_out` are (level, column, row); `said` are
    more attributes.
    """

    def make(
        *,
        in_xml: bool = False,
        left_out: Sequence[tuple[int, int, int]] = (),
        scans: int = 1,
        said: Mapping[str, str] = MappingProxyType({}),
    ) -> Path:
        def attribute(name: str, text: str) -> str:
            return f'<Attribute Name="{name}">{text}</Attribute>'

        def spacing(factor: int) -> str:
            return attribute("DICOM_PIXEL_SPACING", f'"{0.00025 * factor}" "{0.00026 * factor}"')

        def in_base64(kind: str, pixels: Pixels) -> str:
            data = base64.b64encode(jpeg.encode(pixels)).decode()
            name = attribute("PIM_DP_IMAGE_TYPE", kind)
            return f"<DataObject>{name}{attribute('PIM_DP_IMAGE_DATA', data)}</DataObject>"

        base = draw_pattern(6 * TILE, 5 * TILE)
        levels = pyramid(base, (1, 2, 4, 8))
        listed = "".join(
            f'<DataObject ObjectType="PixelDataRepresentation">{spacing(2**n)}</DataObject>'
            for n in range(len(levels))
        )
        scan = (
            f"<DataObject>{attribute('PIM_DP_IMAGE_TYPE', 'WSI')}{spacing(1)}"
            + attribute("DICOM_DERIVATION_DESCRIPTION", "tiff-clip=2-levels=40,10002,10000-q80")
            + f'<Attribute Name="PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE"><Array>{listed}</Array>'
            "</Attribute></DataObject>"
        )
        hidden = (
            in_base64("MACROIMAGE", OVERVIEW) + in_base64("LABELIMAGE", LABEL) if in_xml else ""
        )
        description = (
            '<?xml version="1.0" encoding="UTF-8" ?><DataObject ObjectType="DPUfsImport">'
            + attribute("DICOM_ACQUISITION_DATETIME", "20260312101112.000000")
            + attribute("DICOM_MANUFACTURER", "PHILIPS")
            + "".join(attribute(*pair) for pair in said.items())
            + attribute("DICOM_DEVICE_SERIAL_NUMBER", "FMT0001")
            + attribute("DICOM_SOFTWARE_VERSIONS", '"1.6.6186" "20150402"')
            + f'<Attribute Name="PIM_DP_SCANNED_IMAGES"><Array>{scan * scans}{hidden}</Array>'
            "</Attribute></DataObject>"
        )
        images = [
            level(
                pixels,
                size=Size(*(-(-side // TILE) * TILE for side in pixels.shape[1::-1])),
                description="" if number else description,
                reduced=1 if number else 0,
                software="Philips DP v1.0",
                left_out=frozenset((c, r) for n, c, r in left_out if n == number),
            )
            for number, pixels in enumerate(levels)
        ]
        if not in_xml:
            images.append(WrittenImage(OVERVIEW, tile=None, reduced=1, description="Macro -off"))
            images.append(WrittenImage(LABEL, tile=None, reduced=1, description="Label"))
        path = tmp_path / "philips.tiff"
        write_jpeg_tiff(path, images)
        return path

    return make


@pytest.fixture
def trestle(tmp_path: Path) -> MakeSlide:
    def make(overlaps: str = "0 0 0 0 0 0") -> Path:
        description = f"Objective Power=20;Background Color=FFFFFF;OverlapsXY={overlaps}"
        images = [
            level(
                pixels,
                description=description,
                software="MedScan 1.0",
                resolution=(0.5, 0.25),
                reduced=1 if number else 0,
            )
            for number, pixels in enumerate(pyramid(BASE))
        ]
        path = tmp_path / "trestle.tif"
        write_jpeg_tiff(path, images)
        (tmp_path / "trestle.Full").write_bytes(jpeg.encode(OVERVIEW))
        return path

    return make


@pytest.fixture
def huron(tmp_path: Path) -> MakeSlide:
    def make() -> Path:
        base, *coarser = (
            level(pixels, description="Filter = none\nStain = H&E", per_mm=(2500, 2000))
            for pixels in pyramid(BASE)
        )
        make_, model = "Huron Digital Pathology", "LE180"
        fields = [(271, 2, len(make_) + 1, make_), (272, 2, len(model) + 1, model)]
        images = [
            replace(base, fields=fields),
            WrittenImage(THUMBNAIL, tile=None),
            *coarser,
            WrittenImage(LABEL, tile=None, reduced=1),
            WrittenImage(OVERVIEW, tile=None, reduced=9),
        ]
        path = tmp_path / "huron.tif"
        write_jpeg_tiff(path, images)
        return path

    return make


@pytest.fixture
def qptiff(tmp_path: Path) -> MakeSlide:
    def make(channels: int = 1, tile: int | None = TILE) -> Path:
        def describe(kind: str) -> str:
            return (
                '<?xml version="1.0" encoding="utf-16"?><PerkinElmer-QPI-ImageDescription>'
                f"<AcquisitionSoftware>PhenoImager 2.0</AcquisitionSoftware>"
                f"<ImageType>{kind}</ImageType><Objective>20x</Objective>"
                "</PerkinElmer-QPI-ImageDescription>"
            )

        base, *coarser = pyramid(BASE)
        full = level(base, tile=tile, description=describe("FullResolution"), per_mm=(2000, 2000))
        images = [
            *[full] * channels,
            WrittenImage(THUMBNAIL, tile=None, description=describe("Thumbnail")),
            *(level(p, description=describe("ReducedResolution"), reduced=1) for p in coarser),
            WrittenImage(
                halve(coarser[-1]), tile=None, description=describe("ReducedResolution"), reduced=1
            ),
            WrittenImage(OVERVIEW, tile=None, description=describe("Overview")),
            WrittenImage(LABEL, tile=None, description=describe("Label")),
        ]
        path = tmp_path / "written.qptiff"
        write_jpeg_tiff(path, images)
        return path

    return make


@pytest.fixture
def ome(tmp_path: Path) -> MakeSlide:
    """`pixels` replaces words of the main image's Pixels; `first` is put before its image."""

    def make(
        pixels: tuple[str, str] = ("", ""),
        first: str = "",
        uuid: str = "urn:uuid:1",
        **said: object,
    ) -> Path:
        base, *coarser = (level(p, **said) for p in pyramid(BASE))
        main = (
            '<Image ID="Image:0" Name="section"><AcquisitionDate>2026-03-12T10:11:12'
            '</AcquisitionDate><InstrumentRef ID="Instrument:0"/>'
            '<ObjectiveSettings ID="Objective:0:0"/><Pixels DimensionOrder="XYCZT" Type="uint8"'
            ' SizeX="700" SizeY="600" SizeC="3" SizeZ="1" SizeT="1"'
            ' PhysicalSizeX="0.25" PhysicalSizeY="260"'
            ' PhysicalSizeYUnit="nm"><Channel ID="Channel:0:0" SamplesPerPixel="3"/>'
            f'<TiffData IFD="0" PlaneCount="1"><UUID FileName="other">{uuid}</UUID></TiffData>'
            "</Pixels></Image>"
        )
        if pixels[0]:
            assert pixels[0] in main
            main = main.replace(*pixels)
        others = "".join(
            f'<Image ID="Image:{n}" Name="{name}"><Pixels DimensionOrder="XYCZT" Type="uint8"'
            ' SizeX="9" SizeY="9" SizeC="3" SizeZ="1" SizeT="1">'
            f'<TiffData IFD="{n}"/></Pixels></Image>'
            for n, name in enumerate(("label", "macro"), start=1)
        )
        description = (
            '<?xml version="1.0" encoding="UTF-8"?><!-- OME --><OME UUID="urn:uuid:1" '
            'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" Creator="tests">'
            '<Instrument ID="Instrument:0"><Microscope Manufacturer="Maker" Model="Scan 1"/>'
            '<Objective ID="Objective:0:0" NominalMagnification="40.0"/></Instrument>'
            f"{first}{main}{others}</OME>"
        )
        images = [
            replace(base, description=description, below=coarser),
            WrittenImage(LABEL, tile=None),
            WrittenImage(OVERVIEW, tile=None),
        ]
        path = tmp_path / "written.ome.tif"
        write_jpeg_tiff(path, images, big=True)
        return path

    return make


@pytest.fixture
def ventana(tmp_path: Path) -> MakeSlide:
    """`joins` False writes a Ventana TIFF, which tells nothing of joints."""

    def make(*, overlap: int = 0, joins: bool = True, areas: int = 1) -> Path:
        base = draw_pattern(5 * TILE, 4 * TILE)
        iscan = (
            '<?xml version="1.0"?><Metadata><iScan ScannerModel="VENTANA DP 200" ScanRes="0.25"'
            ' Magnification="40" UnitNumber="2000515" Barcode2D=""/></Metadata>'
        )
        info = (
            f'<ImageInfo AOIScanned="1" NumRows="4" NumCols="5" Width="{TILE}" Height="{TILE}"'
            ' Pos-X="200" Pos-Y="300"><TileJointInfo Confidence="98" Direction="RIGHT" Tile1="1"'
            f' Tile2="2" OverlapX="{overlap}" OverlapY="0"/><TileJointInfo Confidence="98"'
            ' Direction="UP" Tile1="1" Tile2="10" OverlapX="0" OverlapY="0"/></ImageInfo>'
        )
        origins = '<AOI0 OriginX="0" OriginY="0"/>' * areas
        stitching = (
            f'<?xml version="1.0"?><EncodeInfo><SlideStitchInfo>{info * areas}</SlideStitchInfo>'
            f"<AoiOrigin>{origins}</AoiOrigin></EncodeInfo>"
        )

        def xmp(text: str) -> list[tuple[int, int, int, object]]:
            return [(700, 1, len(text.encode()), text.encode())]

        images = [
            WrittenImage(OVERVIEW, tile=None, description="Label_Image", fields=xmp(iscan)),
            WrittenImage(THUMBNAIL, tile=None, description="Thumbnail"),
            *(
                level(
                    pixels,
                    description=f"level={n} mag={40 / 2**n:g} quality=95",
                    fields=xmp(stitching) if joins and not n else (),
                )
                for n, pixels in enumerate(pyramid(base))
            ),
        ]
        path = tmp_path / "ventana.bif"
        write_jpeg_tiff(path, images, big=True)
        return path

    return make


@pytest.fixture
def generic(tmp_path: Path) -> MakeSlide:
    """`reduced` False makes separate images of the levels; `below` hangs them from the base."""

    def make(*, reduced: bool = True, below: bool = False, **said: object) -> Path:
        base, *coarser = (
            level(pixels, reduced=int(reduced and n > 0), **{"per_mm": (4000, 2000), **said})
            for n, pixels in enumerate(pyramid(BASE))
        )
        path = tmp_path / "generic.tif"
        images = [replace(base, below=coarser)] if below else [base, *coarser]
        write_jpeg_tiff(path, images)
        return path

    return make
