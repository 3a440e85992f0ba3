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
    bytes_bound_pixels: int = 1 << 36
    """Pixels up to which a level needs no bytes to show for them: 65536 x 1048576.

    Blank tiles cost nothing where a scanner leaves them out or writes a single one for all, so the
    sparse canvases of honest slides have to stay below this, whatever their file's length.
    """
    pixels_per_byte: int = 2048
    """Pixels of a larger level for each byte of its file.

    Tissue takes a byte for 3 to 20 pixels and a blank JPEG tile one for 200, so that a file beyond
    this shows the same few tiles over and over. Each is a frame to be stored and proved.
    """
    level_frames: int = 2_000_000
    """Tiles of one level in all optical paths and focal planes, which are stored together and
    proved together.
    """
    layers: int = 1000
    """Focal planes of all optical paths."""
    scenes: int = 1000
    """Slides in one file."""
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

    def check_bytes(self, size: Size, file_bytes: int) -> None:
        """Raise SlideTooLargeError when a level is far larger than its file can have tiles for."""
        if size.area > max(self.bytes_bound_pixels, file_bytes * self.pixels_per_byte):
            raise SlideTooLargeError(
                "The file announces far more pixels than its bytes can hold; it is refused."
            )

    def check_scenes(self, scenes: int) -> None:
        """Raise SlideTooLargeError when a file holds too many slides."""
        if scenes > self.scenes:
            raise SlideTooLargeError(
                f"The file holds more than {self.scenes:,} slides; export it in several files."
            )

    def check_layers(self, optical_paths: int, focal_planes: int) -> None:
        """Raise SlideTooLargeError when a slide has too many planes of all its paths."""
        if optical_paths * focal_planes > self.layers:
            raise SlideTooLargeError(
                f"The slide has more than {self.layers:,} optical paths and focal planes; "
                "export it in parts."
            )

    def check_frames(self, frames: int) -> None:
        """Raise SlideTooLargeError when a level has too many tiles of all paths and planes."""
        if frames > self.level_frames:
            raise SlideTooLargeError(
                f"The slide has more than {self.level_frames:,} tiles at one resolution; "
                "export it in parts or in larger tiles."
            )

    def check_associated(self, size: Size) -> None:
        """Raise SlideTooLargeError when a label, overview or thumbnail is too large."""
        if size.area > self.associated_pixels:
            raise SlideTooLargeError(
                "The file announces a label or overview larger than any camera makes; "
                "it is refused."
            )
