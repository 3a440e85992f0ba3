"""How much a file may ask for before it is refused, so that no header can exhaust the machine."""

from dataclasses import dataclass

from tiling.errors import SlideTooLargeError
from tiling.geometry import Size


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds, far above any slide that a scanner makes; checked before memory is taken."""

    level_pixels: int = 1 << 40
    """Pixels of one level; a whole slide at 0.1 um/px has about 2^37."""
    level_tiles: int = 1 << 24
    """Tiles of one level."""
    tile_pixels: int = 1 << 24
    """Pixels of one tile: 4096 x 4096."""
    associated_pixels: int = 1 << 26
    """Pixels of a label, an overview or a thumbnail."""
    directories: int = 4096
    """Images in one TIFF file."""
    text_bytes: int = 1 << 24
    """Bytes of one description or profile."""

    def check_level(self, size: Size, tile: Size) -> None:
        """Raise SlideTooLargeError when a level, one of its tiles or their number is too large."""
        tiles = -(-size.columns // tile.columns) * -(-size.rows // tile.rows)
        if (
            size.area > self.level_pixels
            or tile.area > self.tile_pixels
            or tiles > self.level_tiles
        ):
            raise SlideTooLargeError(
                "The file announces an image larger than any scanner makes; it is refused."
            )

    def check_associated(self, size: Size) -> None:
        """Raise SlideTooLargeError when a label, overview or thumbnail is too large."""
        if size.area > self.associated_pixels:
            raise SlideTooLargeError(
                "The file announces a label or overview larger than any camera makes; "
                "it is refused."
            )
