"""What the samples are, and what they lost on the way."""

import pydicom
from pydicom.valuerep import format_number_as_ds

from dicom.models import ImageDescription, LossyStep, Photometric


def image_pixel(image: ImageDescription) -> pydicom.Dataset:
    """Image Pixel (PS3.3 C.7.6.3), colour by pixel; 8 or 16 bits, all stored (C.8.12.4).

    Grey is what was measured, and shown as it is: no rescaling and an identity for presentation,
    both required of MONOCHROME2 (C.8.12.4).
    """
    samples = image.pixel_format.samples
    bits = 8 * image.pixel_format.bytes_per_pixel // samples
    module = pydicom.Dataset()
    module.SamplesPerPixel = samples
    module.PhotometricInterpretation = image.photometric.value
    if samples > 1:
        module.PlanarConfiguration = 0
    module.Rows = image.tile.rows
    module.Columns = image.tile.columns
    module.BitsAllocated = bits
    module.BitsStored = bits
    module.HighBit = bits - 1
    module.PixelRepresentation = 0
    module.NumberOfFrames = image.order.frames
    if image.photometric is Photometric.MONOCHROME2:
        module.PresentationLUTShape = "IDENTITY"
        module.RescaleIntercept = 0
        module.RescaleSlope = 1
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
