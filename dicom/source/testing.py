"""Small DICOM slides written by pydicom, an instance at a time, in any shape a scanner might."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import MPEG2MPML, UID, VLWholeSlideMicroscopyImageStorage

from dicom.codes import BRIGHTFIELD, Code
from dicom.transfer_syntax import photometric_of, transfer_syntax_of
from tiling.blank import blank_tile
from tiling.codecs import frames
from tiling.geometry import Size, TileGrid
from tiling.slide import RGB8, Codec, Colour, PixelFormat, Samples, TileEncoding

SERIES = "1.2.826.0.1.3680043.8.498.1"
RGB_RAW = TileEncoding(Colour.RGB, codec=Codec.RAW)
JPEG_420 = TileEncoding(Colour.YCBCR, (2, 2))


@dataclass(frozen=True)
class FramePosition:
    """Of a sparse frame: from 1, in pixels."""

    column: int
    row: int
    z_um: float | None = None
    path: str | None = None


@dataclass(frozen=True)
class WrittenInstance:
    """An instance to be."""

    frames: Sequence[bytes]
    size: Size
    tile: Size
    encoding: TileEncoding = RGB_RAW
    pixel_format: PixelFormat = RGB8
    role: str = "VOLUME"
    uid: str = "1.2.826.0.1.3680043.8.498.2"
    series: str = SERIES
    photometric: str | None = None
    """Other than the encoding's."""
    transfer_syntax: str | None = None
    planar_configuration: int = 0
    organization: str | None = "TILED_FULL"
    paths: Sequence[str] = ("1",)
    illumination: Code = BRIGHTFIELD
    planes: int = 1
    plane_distance_mm: float | None = 0.001
    positions: Sequence[FramePosition] | None = None
    table: str = "basic"
    """Of offsets: basic, empty or extended."""
    fragments: int = 1
    """In which each frame is cut."""
    undefined_lengths: bool = False
    spacing_mm: float | None = 0.0005
    extra: Mapping[str, object] = field(default_factory=dict)
    """Attributes by keyword."""


def tiles_of(pixels: Samples, tile: Size, background: int = 255) -> list[Samples]:
    """The tiles of an image, row by row; beyond the image they are `background`."""
    grid = TileGrid(Size(pixels.shape[1], pixels.shape[0]), tile)
    bits = 8 if pixels.dtype == np.uint8 else 16
    blank = blank_tile(tile, PixelFormat(pixels.shape[2], bits), background)
    found = []
    for column, row in grid.positions():
        visible = grid.visible(column, row)
        top, left = row * tile.rows, column * tile.columns
        whole = np.array(blank)
        whole[: visible.rows, : visible.columns] = pixels[
            top : top + visible.rows, left : left + visible.columns
        ]
        found.append(whole)
    return found


def encode(samples: Samples, encoding: TileEncoding, pixel_format: PixelFormat = RGB8) -> bytes:
    """A frame in any codec of DICOM."""
    flat = np.ascontiguousarray(samples[:, :, 0] if samples.shape[2] == 1 else samples)
    codec = encoding.codec
    if codec is Codec.JPEG_LOSSLESS:
        return bytes(imagecodecs.ljpeg_encode(flat, bitspersample=pixel_format.bits))
    if codec in (Codec.JPEG_LS, Codec.JPEG_LS_LOSSLESS):
        return bytes(imagecodecs.jpegls_encode(flat, level=2 if codec is Codec.JPEG_LS else 0))
    if codec in (Codec.HTJ2K, Codec.HTJ2K_LOSSLESS):
        reversible = codec is Codec.HTJ2K_LOSSLESS
        return bytes(imagecodecs.htj2k_encode(flat, reversible=reversible, rgb=flat.ndim == 3))
    if codec in (Codec.JPEG_XL, Codec.JPEG_XL_LOSSLESS):
        return bytes(imagecodecs.jpegxl_encode(flat, lossless=codec is Codec.JPEG_XL_LOSSLESS))
    return frames.encode(samples, encoding, pixel_format)


def instance_of(
    pixels: Samples,
    tile: Size,
    encoding: TileEncoding = RGB_RAW,
    pixel_format: PixelFormat = RGB8,
) -> WrittenInstance:
    """A level of one layer."""
    encoded = [encode(samples, encoding, pixel_format) for samples in tiles_of(pixels, tile)]
    size = Size(pixels.shape[1], pixels.shape[0])
    return WrittenInstance(encoded, size, tile, encoding, pixel_format)


def write(path: Path, instance: WrittenInstance) -> Path:
    """Write a file and return where."""
    dataset = _dataset(instance)
    syntax = instance.transfer_syntax or transfer_syntax_of(instance.encoding)
    native = instance.encoding.codec is Codec.RAW
    if native:
        raw = b"".join(instance.frames)
        dataset.PixelData = raw + bytes(len(raw) % 2)
        dataset["PixelData"].VR = "OW" if instance.pixel_format.bits > 8 else "OB"
    elif instance.table == "extended":
        data, offsets, lengths = encapsulate_extended(list(instance.frames))
        dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths
        dataset.PixelData = data
    else:
        dataset.PixelData = encapsulate(
            list(instance.frames), instance.fragments, has_bot=instance.table == "basic"
        )
    if not native:
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    if instance.undefined_lengths:
        _delimit(dataset)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    # pydicom does not know JPEG XL yet; the stand-in is as long.
    meta.TransferSyntaxUID = MPEG2MPML if "JPEG XL" in instance.encoding.codec else UID(syntax)
    dataset.file_meta = meta
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    path.write_bytes(path.read_bytes().replace(meta.TransferSyntaxUID.encode(), syntax.encode(), 1))
    return path


def with_uid(instance: WrittenInstance, number: int) -> WrittenInstance:
    """The same as another instance of the series."""
    return replace(instance, uid=f"{SERIES}.{number}")


def _dataset(instance: WrittenInstance) -> pydicom.Dataset:
    bits = instance.pixel_format.bits
    dataset = pydicom.Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", instance.role, "NONE"]
    dataset.SOPClassUID = VLWholeSlideMicroscopyImageStorage
    dataset.SOPInstanceUID = instance.uid
    dataset.Modality = "SM"
    dataset.StudyInstanceUID = SERIES + ".9"
    dataset.SeriesInstanceUID = instance.series
    dataset.FrameOfReferenceUID = instance.series + ".8"
    if instance.organization is not None:
        dataset.DimensionOrganizationType = instance.organization
    dataset.SamplesPerPixel = instance.pixel_format.samples
    dataset.PhotometricInterpretation = instance.photometric or photometric_of(instance.encoding)
    if instance.pixel_format.samples > 1:
        dataset.PlanarConfiguration = instance.planar_configuration
    dataset.NumberOfFrames = len(instance.frames)
    dataset.Rows, dataset.Columns = instance.tile.rows, instance.tile.columns
    dataset.BitsAllocated = 8 if bits <= 8 else 16
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, 0
    dataset.TotalPixelMatrixColumns = instance.size.columns
    dataset.TotalPixelMatrixRows = instance.size.rows
    dataset.TotalPixelMatrixFocalPlanes = instance.planes
    dataset.NumberOfOpticalPaths = len(instance.paths)
    dataset.OpticalPathSequence = [_path(instance, name) for name in instance.paths]
    dataset.SharedFunctionalGroupsSequence = [_shared(instance)]
    if instance.positions is not None:
        dataset.PerFrameFunctionalGroupsSequence = [_own(at) for at in instance.positions]
    for keyword, value in instance.extra.items():
        setattr(dataset, keyword, value)
    return dataset


def _path(instance: WrittenInstance, name: str) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.IlluminationTypeCodeSequence = [instance.illumination.item()]
    item.OpticalPathIdentifier = name
    item.OpticalPathDescription = f"Path {name}"
    item.ObjectiveLensPower = "20"
    item.ICCProfile = b"profile!"
    return item


def _shared(instance: WrittenInstance) -> pydicom.Dataset:
    measures = pydicom.Dataset()
    if instance.spacing_mm is not None:
        measures.PixelSpacing = [instance.spacing_mm, instance.spacing_mm]
    if instance.plane_distance_mm is not None:
        measures.SpacingBetweenSlices = instance.plane_distance_mm
    shared = pydicom.Dataset()
    shared.PixelMeasuresSequence = [measures]
    return shared


def _own(at: FramePosition) -> pydicom.Dataset:
    position = pydicom.Dataset()
    position.ColumnPositionInTotalImagePixelMatrix = at.column
    position.RowPositionInTotalImagePixelMatrix = at.row
    if at.z_um is not None:
        position.ZOffsetInSlideCoordinateSystem = f"{at.z_um:g}"
    groups = pydicom.Dataset()
    groups.PlanePositionSlideSequence = [position]
    if at.path is not None:
        path = pydicom.Dataset()
        path.OpticalPathIdentifier = at.path
        groups.OpticalPathIdentificationSequence = [path]
    return groups


def _delimit(dataset: pydicom.Dataset) -> None:
    """Sequences and items that end with a delimiter instead of after a length."""
    for element in dataset.iterall():
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
