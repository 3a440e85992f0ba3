"""Transfer Syntax UID and Photometric Interpretation <-> how a tile is encoded.

PS3.5 8.2 and A.4 for what each transfer syntax holds, PS3.3 C.7.6.3.1.2 for what samples mean.
"""

from tiling.slide import Codec, Colour, TileEncoding

_CODECS = {
    "1.2.840.10008.1.2.1": Codec.RAW,
    "1.2.840.10008.1.2": Codec.RAW,
    "1.2.840.10008.1.2.4.50": Codec.JPEG,
    "1.2.840.10008.1.2.4.51": Codec.JPEG_EXTENDED,
    "1.2.840.10008.1.2.4.57": Codec.JPEG_LOSSLESS,
    "1.2.840.10008.1.2.4.70": Codec.JPEG_LOSSLESS,
    "1.2.840.10008.1.2.4.80": Codec.JPEG_LS_LOSSLESS,
    "1.2.840.10008.1.2.4.81": Codec.JPEG_LS,
    "1.2.840.10008.1.2.4.90": Codec.JPEG_2000_LOSSLESS,
    "1.2.840.10008.1.2.4.91": Codec.JPEG_2000,
    "1.2.840.10008.1.2.4.110": Codec.JPEG_XL_LOSSLESS,
    "1.2.840.10008.1.2.4.111": Codec.JPEG_XL_OF_JPEG,
    "1.2.840.10008.1.2.4.112": Codec.JPEG_XL,
    "1.2.840.10008.1.2.4.201": Codec.HTJ2K_LOSSLESS,
    "1.2.840.10008.1.2.4.202": Codec.HTJ2K_LOSSLESS,
    "1.2.840.10008.1.2.4.203": Codec.HTJ2K,
    "1.2.840.10008.1.2.5": Codec.RLE,
}
_TRANSFER_SYNTAXES = {codec: uid for uid, codec in reversed(_CODECS.items())}
"""Of two for one codec the first: it holds for every stream of the other too."""

_LOSSES = {
    Codec.JPEG: "ISO_10918_1",
    Codec.JPEG_EXTENDED: "ISO_10918_1",
    Codec.JPEG_LS: "ISO_14495_1",
    Codec.JPEG_2000: "ISO_15444_1",
    Codec.HTJ2K: "ISO_15444_15",
    Codec.JPEG_XL: "ISO_18181_1",
    Codec.JPEG_XL_OF_JPEG: "ISO_10918_1",
}
"""PS3.3 C.7.6.1.1.5.1."""

_DISCRETE_COSINE = frozenset({Codec.JPEG, Codec.JPEG_EXTENDED, Codec.JPEG_XL_OF_JPEG})
_WAVELET = frozenset({Codec.JPEG_2000, Codec.JPEG_2000_LOSSLESS, Codec.HTJ2K, Codec.HTJ2K_LOSSLESS})


def encoding_of(
    transfer_syntax_uid: str, photometric: str, samples_per_pixel: int
) -> TileEncoding | None:
    """How frames are encoded; None where no tile is: a palette, inverted grey, an unknown codec.

    DICOM does not tell the subsampling of chroma: it is None where the frame's own header says it.
    """
    codec = _CODECS.get(transfer_syntax_uid)
    colour = None if codec is None else _colour_of(codec, photometric)
    if codec is None or colour is None:
        return None
    if samples_per_pixel != (1 if colour is Colour.GREY else 3):
        return None
    told = codec not in _DISCRETE_COSINE or colour is Colour.GREY
    return TileEncoding(colour, (1, 1) if told else None, codec)


def transfer_syntax_of(encoding: TileEncoding) -> str:
    """The Transfer Syntax UID of an instance with frames of that encoding."""
    return _TRANSFER_SYNTAXES[encoding.codec]


def photometric_of(encoding: TileEncoding) -> str:
    """Photometric Interpretation (0028,0004).

    YBR_FULL_422 says nothing of the true subsampling: it is the only YCbCr of JPEG that C.8.12.4
    allows.
    """
    if encoding.colour is Colour.YCBCR:
        return "YBR_FULL_422" if encoding.codec in _DISCRETE_COSINE else "YBR_FULL"
    return {
        Colour.RGB: "RGB",
        Colour.GREY: "MONOCHROME2",
        Colour.ICT: "YBR_ICT",
        Colour.RCT: "YBR_RCT",
    }[encoding.colour]


def _colour_of(codec: Codec, photometric: str) -> Colour | None:
    if photometric == "YBR_FULL_422":
        return Colour.YCBCR if codec in _DISCRETE_COSINE else None
    if photometric == "XYB":
        # A transform that the stream names itself, and that its decoder undoes.
        return Colour.RGB if codec is Codec.JPEG_XL else None
    if photometric == "YBR_ICT":
        return Colour.ICT if codec in _WAVELET and not codec.is_lossless else None
    if photometric == "YBR_RCT":
        return Colour.RCT if codec in _WAVELET else None
    return {"RGB": Colour.RGB, "YBR_FULL": Colour.YCBCR, "MONOCHROME2": Colour.GREY}.get(
        photometric
    )


def loss_of(encoding: TileEncoding) -> str | None:
    """Lossy Image Compression Method (0028,2114); None for a codec that loses nothing."""
    return _LOSSES.get(encoding.codec)
