"""What the samples are, and what they lost on the way."""

import pydicom
from pydicom.valuerep import format_number_as_ds

from dicom.models import ImageDescription, LossyStep


def image_pixel(image: ImageDescription) -> pydicom.Dataset:
    """Image Pixel (PS3.3 C.7.6.3): three samples of 8 bits, colour by pixel."""
    module = pydicom.Dataset()
    module.SamplesPerPixel = 3
    module.PhotometricInterpretation = image.photometric.value
    module.PlanarConfiguration = 0
    module.Rows = image.tile.rows
    module.Columns = image.tile.columns
    module.BitsAllocated = 8
    module.BitsStored = 8
    module.HighBit = 7
    module.PixelRepresentation = 0
    module.NumberOfFrames = image.grid.tiles.area
    return module


def lossy_compression(steps: tuple[LossyStep, ...]) -> pydicom.Dataset:
    """Lossy Image Compression (PS3.3 C.7.6.1.1.5): every step, the oldest first."""
    module = pydicom.Dataset()
    module.LossyImageCompression = "01" if steps else "00"
    if steps:
        module.LossyImageCompressionRatio = [
            format_number_as_ds(round(step.ratio, 3)) for step in steps
        ]
        module.LossyImageCompressionMethod = [step.method for step in steps]
    return module
