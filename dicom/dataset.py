"""The dataset of one instance: every module of the VL Whole Slide Microscopy Image IOD.

PS3.3 A.32.8, tiles organised as TILED_FULL. Nothing is written that depends on the moment or the
machine, so that the same slide gives the same bytes.
"""

import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, VLWholeSlideMicroscopyImageStorage

from dicom.errors import UnsupportedInstanceError
from dicom.models import Equipment, ImageDescription, ImageRole, Optics, SlideIdentity
from dicom.modules.equipment import converter, equipment
from dicom.modules.image import general_image, whole_slide_image
from dicom.modules.matrix import dimensions, functional_groups, pyramid, tile_organization
from dicom.modules.optics import optical_paths
from dicom.modules.pixels import image_pixel, lossy_compression
from dicom.modules.specimen import slide_label, specimen
from dicom.modules.study import frame_of_reference, patient, series, study
from dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_LARGEST_TILE = 65535
"""Rows (0028,0010) and Columns (0028,0011) are 16-bit numbers."""


def build_dataset(
    identity: SlideIdentity,
    scanner: Equipment,
    optics: Optics,
    image: ImageDescription,
) -> pydicom.Dataset:
    """Everything of an instance but its frames, with the file meta information.

    Raises UnsupportedInstanceError for a tile that DICOM cannot hold.
    """
    if max(image.tile.columns, image.tile.rows) > _LARGEST_TILE:
        raise UnsupportedInstanceError(
            f"A tile of {image.tile.columns} x {image.tile.rows} is larger than DICOM can hold; "
            f"cut it into tiles of at most {_LARGEST_TILE} pixels a side."
        )
    modules = [
        patient(identity.patient),
        study(identity),
        series(identity),
        frame_of_reference(identity),
        equipment(scanner),
        general_image(image),
        tile_organization(image),
        image_pixel(image),
        lossy_compression(image.lossy_steps),
        acquisition_context(),
        functional_groups(image),
        dimensions(identity, image),
        specimen(identity),
        whole_slide_image(image),
        optical_paths(optics),
        sop_common(image),
        converter(),
    ]
    if image.role.in_pyramid:
        modules.append(pyramid(identity))
    if image.role is ImageRole.LABEL or image.barcode or image.label_text:
        modules.append(slide_label(image))
    dataset = pydicom.Dataset()
    for module in modules:
        dataset.update(module)
    dataset.file_meta = file_meta(image)
    return dataset


def acquisition_context() -> pydicom.Dataset:
    """Acquisition Context (PS3.3 C.7.6.14): type 2, and nothing to say."""
    module = pydicom.Dataset()
    module.AcquisitionContextSequence = []
    return module


def sop_common(image: ImageDescription) -> pydicom.Dataset:
    """SOP Common (PS3.3 C.12.1); text is UTF-8."""
    module = pydicom.Dataset()
    module.SpecificCharacterSet = "ISO_IR 192"
    module.SOPClassUID = VLWholeSlideMicroscopyImageStorage
    module.SOPInstanceUID = image.sop_instance_uid
    return module


def file_meta(image: ImageDescription) -> FileMetaDataset:
    """File Meta Information (PS3.10 7.1)."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
    meta.MediaStorageSOPInstanceUID = UID(image.sop_instance_uid)
    meta.TransferSyntaxUID = UID(image.transfer_syntax_uid)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta
