"""What can go wrong between a slide file and its tiles.

Every message is one sentence for the person who owns the file: what is wrong, and what to do.
"""


class TilingError(Exception):
    """The root of every error of this package."""


class UnknownFormatError(TilingError):
    """No reader recognises the file's content."""


class AmbiguousFormatError(TilingError):
    """Two readers claim the file with the same confidence."""


class UnsupportedSlideError(TilingError):
    """The format is known, but the slide uses a part of it that cannot be read here."""


class DamagedSlideError(TilingError):
    """The file contradicts its own format: it is truncated, corrupt or hostile."""


class IncompleteSlideError(TilingError):
    """A file or folder that belongs to the slide is not there."""


class SlideTooLargeError(TilingError):
    """The slide announces more pixels, tiles or bytes than the limits allow."""
