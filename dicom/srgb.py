"""The ICC profile of sRGB, for slides whose file brings none."""

from tiling.matrix_profile import BT_709, INPUT, matrix_profile

SRGB_PROFILE = matrix_profile("sRGB IEC61966-2.1", BT_709, INPUT)
"""Of an input device, as PS3.3 C.11.15 asks."""
