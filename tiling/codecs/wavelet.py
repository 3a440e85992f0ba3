"""How a component of a JPEG 2000 codestream is cut up before it is coded (ISO 15444-1 A.6.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tiling.codecs.announced import CORRUPT
from tiling.errors import DamagedSlideError
from tiling.geometry import Size

_WHOLE = 15
"""The exponent of precincts where the header gives none: larger than any tile."""
_HIGH_THROUGHPUT = 0x40
"""The bit of the code-block style that stands for HTJ2K (ISO 15444-15 A.4)."""


@dataclass(frozen=True, slots=True)
class Coding:
    """The parameters SPcod or SPcoc (tables A.15 and A.20)."""

    block: tuple[int, int]
    """Exponents of a code-block's columns and rows."""
    precincts: Sequence[tuple[int, int]]
    """Exponents of a precinct's columns and rows, from the coarsest resolution to the finest."""
    reversible: bool
    high_throughput: bool

    def cost(self, tile: Size) -> tuple[int, int]:
        """Precincts and code-blocks of one component of a tile, never fewer than there are."""
        precincts = blocks = 0
        finest = len(self.precincts) - 1
        for resolution, (across, down) in enumerate(self.precincts):
            columns, rows = (
                -(-side // (1 << (finest - resolution))) + 1 for side in (tile.columns, tile.rows)
            )
            precincts += _pieces(columns, across) * _pieces(rows, down)
            # The three bands of a resolution have half of its size, and so have their precincts.
            bands, half = (1, 0) if resolution == 0 else (3, 1)
            blocks += (
                bands
                * _pieces(columns >> half, min(self.block[0], across - half))
                * _pieces(rows >> half, min(self.block[1], down - half))
            )
        return precincts, blocks


def _pieces(length: int, exponent: int) -> int:
    """How many pieces of a power of two a length may touch."""
    return (length >> max(0, exponent)) + 2


def parse_coding(parameters: bytes, *, own_precincts: bool) -> Coding:
    """Read decomposition levels, code-blocks, wavelet and precincts; raises DamagedSlideError."""
    if len(parameters) < 5:
        raise DamagedSlideError(CORRUPT)
    levels, block_columns, block_rows, style, wavelet = parameters[:5]
    exponents = parameters[5:]
    block = block_columns + 2, block_rows + 2
    if (
        levels > 32
        or max(block) > 10
        or sum(block) > 12
        or wavelet > 1
        or len(exponents) != (levels + 1 if own_precincts else 0)
    ):
        raise DamagedSlideError(CORRUPT)
    precincts = [(each & 15, each >> 4) for each in exponents] or [(_WHOLE, _WHOLE)] * (levels + 1)
    if any(0 in each for each in precincts[1:]):
        raise DamagedSlideError(CORRUPT)
    return Coding(block, precincts, wavelet == 1, bool(style & _HIGH_THROUGHPUT))
