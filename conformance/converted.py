"""A slide in DICOM, with the pixels that must be found in it."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dicom.conversion import convert
from dicom.manifest import SlideManifest
from dicom.models import SlideIdentity
from dicom.targets import DirectoryTarget
from dicom.transfer_syntax import transfer_syntax_of
from tiling.codecs.jpeg import JpegOptions
from tiling.pyramid import EncodedLevel, PyramidOptions, build_pyramid
from tiling.slide import Codec, Samples, SlideReader

_HTJ2K = frozenset({Codec.HTJ2K, Codec.HTJ2K_LOSSLESS})
_JPEG_DIFFERENCE = 3
"""Grey levels by which two decoders of JPEG may differ in a pixel of smooth chroma, at most on the
mean: they enlarge halved chroma by methods of their own."""


@dataclass(frozen=True, slots=True)
class ConvertedSlide:
    """Instances in a folder, and the levels that were written into them."""

    folder: Path
    manifest: SlideManifest
    levels: list[EncodedLevel]
    source: Path | None = None
    """The file it was made of; None for one that was drawn in memory."""

    @property
    def instances(self) -> list[Path]:
        """The base first."""
        return [self.folder / f"{record.name}.dcm" for record in self.manifest.instances]

    @property
    def syntaxes(self) -> set[str]:
        """Transfer syntaxes of the levels."""
        return {transfer_syntax_of(level.encoding) for level in self.levels}

    @property
    def htj2k_levels(self) -> list[int]:
        """Those in high-throughput JPEG 2000, which many readers do not know yet."""
        return [at for at, level in enumerate(self.levels) if level.encoding.codec in _HTJ2K]

    @property
    def base(self) -> EncodedLevel:
        return self.levels[0]

    def require_tile(
        self, found: Samples, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> None:
        """Raise AssertionError unless a checker's tile shows what was written."""
        written = self.levels[level].pixels(column, row, path, plane)
        seen = self.levels[level].order.grid.visible(column, row)
        expected = written[: seen.rows, : seen.columns].astype(int)
        shown = np.asarray(found).reshape(*found.shape[:2], -1)[: seen.rows, : seen.columns]
        if shown.shape[2] == 3 and expected.shape[2] == 1:
            shown = shown[:, :, :1]
        if shown.shape != expected.shape:
            raise AssertionError(f"a tile of {shown.shape} instead of {expected.shape}")
        difference = np.abs(shown.astype(int) - expected)
        lossless = self.levels[level].encoding.codec.is_lossless
        if difference.mean() > (0 if lossless else _JPEG_DIFFERENCE):
            raise AssertionError(f"pixels differ by {difference.mean():.1f} on the mean")

    def positions(self, level: int) -> list[tuple[int, int]]:
        """The first tile, one in the middle, and the last."""
        tiles = self.levels[level].order.grid.tiles
        middle = (tiles.columns // 2, tiles.rows // 2)
        return sorted({(0, 0), middle, (tiles.columns - 1, tiles.rows - 1)})

    def layers(self) -> list[tuple[int, int]]:
        """The first and the last optical path and focal plane."""
        layers = self.base.order.layers()
        return sorted({layers[0], layers[-1]})


@contextmanager
def converted(reader: SlideReader, source: Path | None = None) -> Iterator[ConvertedSlide]:
    """The slide in a folder that goes away again; closes the reader."""
    try:
        with tempfile.TemporaryDirectory(prefix="conformance-") as name:
            folder = Path(name)
            levels = build_pyramid(reader, folder, PyramidOptions(JpegOptions()))
            instances = folder / "instances"
            result = convert(
                reader, levels, SlideIdentity(uuid.uuid4()), DirectoryTarget(instances)
            )
            yield ConvertedSlide(instances, result.manifest, levels, source)
    finally:
        reader.close()
