"""What an open slide says, put into the words that are kept."""

from collections.abc import Iterable, Sequence

import numpy as np

from dicom.thumbnail import number_of_level_for
from dicom.withheld import metadata_without_withheld, paths_without_withheld
from sgi.domain.facts import PathFacts, SlideFacts
from sgi.domain.patient_codes import holds_patient_code, is_withheld
from sgi.ingest.label import Label
from tiling.composite import colours_of, window_of
from tiling.pyramid import EncodedLevel
from tiling.slide import SlideReader, plane_shown_first

_LEAST_SIDE_PX = 512
"""Of the level from which a path's window is taken."""
_MOST_PIXELS = 1 << 22
"""Of that level that are looked at to find a path's window."""
_NOTHING_READ = Label(None, ())


def facts_of(
    reader: SlideReader,
    levels: Sequence[EncodedLevel],
    *,
    scene: str | None = None,
    label: Label = _NOTHING_READ,
    left_out: Sequence[str] = (),
) -> SlideFacts:
    """Of a slide and its pyramid; raises what the reader raises.

    What the label reads is kept whole, to be compared; of a patient's code among what else the file
    says nothing is.
    """
    label_text = reader.metadata.label_text
    said = metadata_without_withheld(reader.metadata, is_withheld)
    return SlideFacts(
        format=reader.format,
        pixel_spacing_mm=said.pixel_spacing_mm,
        objective_power=said.objective_power,
        scanned_at=said.scanned_at,
        manufacturer=said.manufacturer,
        model=said.model,
        serial_number=said.serial_number,
        icc=said.icc_profile is not None,
        metadata={
            name: words
            for name, words in said.vendor.items()
            if not holds_patient_code(f"{name}\n{words}")
        },
        samples=reader.pixel_format.samples,
        bits=reader.pixel_format.bits,
        optical_paths=tuple(_paths(reader, levels[number_of_level_for(levels, _LEAST_SIDE_PX)])),
        focal_planes_um=tuple(reader.focal_planes_um),
        scene=scene,
        label_text=label_text,
        barcodes=label.barcodes,
        barcode_contradicts=label.contradicts,
        not_kept=said.not_kept,
        left_out=tuple(left_out),
    )


def _paths(reader: SlideReader, coarse: EncodedLevel) -> Iterable[PathFacts]:
    plane = plane_shown_first(reader.focal_planes_um)
    coloured = reader.pixel_format.samples == 3
    colours = colours_of(reader.optical_paths)
    for index, path in enumerate(paths_without_withheld(reader.optical_paths, is_withheld)):
        yield PathFacts(
            name=path.name,
            illumination=path.illumination.value,
            colour=None if coloured else colours[index],
            excitation_nm=path.excitation_nm,
            emission_nm=path.emission_nm,
            window=None if coloured else _window(coarse, index, plane),
        )


def _window(level: EncodedLevel, path: int, plane: int) -> tuple[int, int]:
    """Over the first tiles of a coarse level, as far as they are seen."""
    grid = level.order.grid
    pieces, pixels = [], 0
    for column, row in grid.positions():
        seen = grid.visible(column, row)
        tile = level.pixels(column, row, path, plane)[: seen.rows, : seen.columns]
        pieces.append(tile.ravel())
        pixels += seen.area
        if pixels >= _MOST_PIXELS:
            break
    window = window_of(np.concatenate(pieces))
    return window.darkest, window.brightest
