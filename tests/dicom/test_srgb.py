import hashlib
import io

import numpy as np
from PIL import Image, ImageCms

from dicom.srgb import SRGB_PROFILE


def test_profile_is_read_and_means_srgb() -> None:
    # Arrange
    ours = ImageCms.ImageCmsProfile(io.BytesIO(SRGB_PROFILE))
    reference = ImageCms.createProfile("sRGB")
    ramp = np.stack(np.meshgrid(*[np.arange(0, 256, 15, np.uint8)] * 3), axis=-1)
    image = Image.fromarray(ramp.reshape(-1, 18, 3))
    # Act
    shown = ImageCms.profileToProfile(image, ours, reference)
    # Assert
    assert ImageCms.getProfileDescription(ours).strip() == "sRGB IEC61966-2.1"
    assert ours.profile.device_class == "scnr"
    assert shown is not None
    difference = np.abs(np.asarray(shown).astype(int) - np.asarray(image).astype(int))
    assert difference.max() <= 1


def test_profile_never_changes() -> None:
    assert len(SRGB_PROFILE) % 4 == 0
    assert int.from_bytes(SRGB_PROFILE[:4], "big") == len(SRGB_PROFILE)
    assert hashlib.sha256(SRGB_PROFILE).hexdigest() == PINNED


PINNED = "f56b8db5a2ebaa1f6b52d737f4699c79d478e8d800620ef76e1d777a634984cc"
"""A change would change every slide without a profile of its own: raise the writer's version."""
