"""What is written where DICOM demands a value (type 1) and nobody knows one.

Each stand-in is chosen so that nobody can take it for a measurement, and the two that look like
numbers are declared in Image Comments (0020,4000), by which a reader tells them from the truth.
"""

from datetime import datetime

UNKNOWN = "Unknown"
"""Manufacturer, model, serial number, software versions and container identifier."""

FOCUS_METHOD = "AUTO"
"""Focus Method (0048,0011): few scanners' files say; whole slides are focused by the scanner."""

NOMINAL_SPACING_MM = (1.0, 1.0)
"""Pixel Spacing of the base of a slide without scale: far coarser than any microscope's.

Pixel Spacing and Imaged Volume Width and Height are type 1C for VOLUME (PS3.3 C.7.6.16.2.1 and
C.8.12.4), and readers order the levels of a pyramid by them. A plausible guess would be measured
with. Coarser levels have multiples of it.
"""

NOMINAL_SPACING_COMMENT = "Pixel spacing is not known and only relates the levels: do not measure."

NOMINAL_DEPTH_UM = 1.0
"""Slice Thickness and Imaged Volume Depth: the depth of field of a 20x / 0.75 objective.

wavelength x index / aperture^2 = 0.55 um x 1 / 0.56. The depth shall not be 0 (C.8.12.4.1.2), no
file gives it, and nothing lateral is measured with it.
"""

UNKNOWN_WAVELENGTH_COMMENT = "The excitation of a fluorescence path is not known."
"""Where Illumination Color Code (0022,0108) says full spectrum of a path that is not lit in white:
either that or a wavelength is required (PS3.3 C.8.12.5)."""

UNKNOWN_ACQUISITION = datetime(1900, 1, 1)  # noqa: DTZ001 - nowhere's time, so no zone
"""Acquisition DateTime (0008,002A), Content Date (0008,0023) and Time (0008,0033) of a slide whose
file gives none: type 1 (PS3.3 C.8.12.4, C.7.6.16), and long before there were scanners."""

UNKNOWN_ACQUISITION_COMMENT = "Acquisition time is not known: 1900 is a stand-in."
