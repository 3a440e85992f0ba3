"""JPEG streams kept as JPEG XL and given back bit for bit (ISO 18181-2, JPEG bitstream data).

The codestream holds the same coefficients in better entropy coding, the box `jbrd` whatever else
it takes to write the same JPEG file again.
"""

import imagecodecs

from tiling.errors import DamagedSlideError


def recompress(jpeg: bytes) -> bytes | None:
    """The stream as JPEG XL; None where that is not smaller or does not give the stream back."""
    try:
        packed = bytes(imagecodecs.jpegxl_encode_jpeg(jpeg, numthreads=1))
        if len(packed) >= len(jpeg) or give_back(packed) != jpeg:
            return None
    except (imagecodecs.JpegxlError, DamagedSlideError, ValueError, MemoryError):
        return None
    return packed


def give_back(packed: bytes) -> bytes:
    """The JPEG stream of which `packed` was made; raises DamagedSlideError."""
    try:
        return bytes(imagecodecs.jpegxl_decode_jpeg(packed, numthreads=1))
    except (imagecodecs.JpegxlError, ValueError, MemoryError) as error:
        raise DamagedSlideError("A recompressed tile is damaged; repair it from a copy.") from error
