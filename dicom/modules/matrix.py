"""How the frames make one image: total pixel matrix, functional groups, dimensions, pyramid."""

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import format_number_as_ds

from dicom.models import ImageDescription, SlideIdentity
from dicom.modules.optics import path_identifier
from dicom.placeholders import NOMINAL_DEPTH_UM

LABEL_ON_THE_LEFT = (0, -1, 0, -1, 0, 0)
"""Image Orientation (Slide) (0048,0102): along a row, then down a column.

Slide coordinates are of a glass standing on its end with the label on top, X to the right and Y
upwards (PS3.3 C.8.12.2). Scanners show the glass lying with the label on the left: to the right
is then away from the label, -Y, and downwards is -X.
"""


def tile_organization(image: ImageDescription) -> pydicom.Dataset:
    """Microscope Slide Layer Tile Organization (PS3.3 C.8.12.14)."""
    origin = pydicom.Dataset()
    origin.XOffsetInSlideCoordinateSystem = format_number_as_ds(image.origin_mm[0])
    origin.YOffsetInSlideCoordinateSystem = format_number_as_ds(image.origin_mm[1])
    lowest_um = image.focal_planes_um[0]
    if lowest_um or len(image.focal_planes_um) > 1:  # from which the planes are counted
        origin.ZOffsetInSlideCoordinateSystem = format_number_as_ds(lowest_um)
    module = pydicom.Dataset()
    module.TotalPixelMatrixColumns = image.size.columns
    module.TotalPixelMatrixRows = image.size.rows
    module.TotalPixelMatrixFocalPlanes = len(image.focal_planes_um)
    module.TotalPixelMatrixOriginSequence = [origin]
    module.ImageOrientationSlide = list(LABEL_ON_THE_LEFT)
    return module


def functional_groups(image: ImageDescription) -> pydicom.Dataset:
    """Multi-frame Functional Groups (PS3.3 C.7.6.16), all shared.

    TILED_FULL frames need no group each: their order says where they lie (C.7.6.17.3). Spacing and
    thickness are 1C, not required of label and overview (C.7.6.16.2.1), whose item may be empty.
    """
    frame_type = pydicom.Dataset()
    frame_type.FrameType = list(image.image_type)
    shared = pydicom.Dataset()
    shared.PixelMeasuresSequence = [_pixel_measures(image)]
    shared.WholeSlideMicroscopyImageFrameTypeSequence = [frame_type]
    if image.optical_paths == 1:  # several are told apart by the order of the frames
        path = pydicom.Dataset()
        path.OpticalPathIdentifier = path_identifier(0)
        shared.OpticalPathIdentificationSequence = [path]
    module = pydicom.Dataset()
    module.SharedFunctionalGroupsSequence = [shared]
    return module


def _pixel_measures(image: ImageDescription) -> pydicom.Dataset:
    measures = pydicom.Dataset()
    if image.pixel_spacing_mm is not None:
        measures.PixelSpacing = [format_number_as_ds(value) for value in image.pixel_spacing_mm]
        measures.SliceThickness = format_number_as_ds(NOMINAL_DEPTH_UM / 1000)
    if len(image.focal_planes_um) > 1:
        distance_mm = round(image.plane_distance_um / 1000, 9)
        measures.SpacingBetweenSlices = format_number_as_ds(distance_mm)
    return measures


def dimensions(identity: SlideIdentity, image: ImageDescription) -> pydicom.Dataset:
    """Multi-frame Dimension (PS3.3 C.7.6.17): optical paths and focal planes where there are
    several, rows of tiles, and tiles along a row.
    """
    uid = identity.dimension_organization_uid
    organization = pydicom.Dataset()
    organization.DimensionOrganizationUID = uid
    module = pydicom.Dataset()
    module.DimensionOrganizationSequence = [organization]
    module.DimensionOrganizationType = "TILED_FULL"
    indices = [
        _index(uid, "RowPositionInTotalImagePixelMatrix"),
        _index(uid, "ColumnPositionInTotalImagePixelMatrix"),
    ]
    if len(image.focal_planes_um) > 1:
        indices.insert(0, _index(uid, "ZOffsetInSlideCoordinateSystem"))
    if image.optical_paths > 1:
        group = "OpticalPathIdentificationSequence"
        indices.insert(0, _index(uid, "OpticalPathIdentifier", group))
    module.DimensionIndexSequence = indices
    return module


def _index(
    organization_uid: str, keyword: str, group: str = "PlanePositionSlideSequence"
) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.DimensionOrganizationUID = organization_uid
    item.DimensionIndexPointer = _tag(keyword)
    item.FunctionalGroupPointer = _tag(group)
    item.DimensionDescriptionLabel = keyword[:64]
    return item


def _tag(keyword: str) -> BaseTag:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(f"{keyword} is not in the DICOM dictionary")
    return Tag(tag)


def pyramid(identity: SlideIdentity) -> pydicom.Dataset:
    """Multi-Resolution Pyramid (PS3.3 C.7.11.1)."""
    module = pydicom.Dataset()
    module.PyramidUID = identity.pyramid_uid
    module.PyramidLabel = "Whole slide"
    return module
