"""`sgi info FILE`: what a file is, for a person."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from dicom.formats import open_any
from sgi.errors import VanishedError
from sgi.ingest.confine import confine
from sgi.settings import IngestSettings


def show_info(file: Path, settings: IngestSettings) -> None:
    """Print format, scale, scanner, levels and associated images; raises TilingError.

    The file is not trusted: this process gives up whatever else it could reach.
    """
    if not file.exists():
        raise VanishedError(f"There is no file {file}; check the name.")
    confine(settings.memory_mb << 20, int(settings.timeout_s), [file.resolve().parent])
    reader = open_any(file)
    try:
        said = reader.metadata
        facts = Table(show_header=False, box=None)
        rows = [
            ("format", reader.format),
            ("pixel spacing", _spacing(said.pixel_spacing_mm)),
            ("objective", f"{said.objective_power:g}×" if said.objective_power else None),
            ("scanned", said.scanned_at.isoformat(" ") if said.scanned_at else None),
            ("scanner", " ".join(filter(None, (said.manufacturer, said.model)))),
            ("serial number", said.serial_number),
            ("ICC profile", f"{len(said.icc_profile)} bytes" if said.icc_profile else None),
            (
                "associated",
                ", ".join(f"{k} {s.columns} × {s.rows}" for k, s in reader.associated.items()),
            ),
        ]
        for name, value in rows:
            facts.add_row(name, value or "not in the file")
        levels = Table("level", "pixels", "tile", "downsample", "frames")
        for number, level in enumerate(reader.levels):
            levels.add_row(
                str(number),
                f"{level.size.columns} × {level.size.rows}",
                f"{level.tile.columns} × {level.tile.rows}",
                f"{level.downsample:g}",
                "passed through" if level.encoding else "to be re-encoded",
            )
        console = Console()
        console.print(facts)
        console.print(levels)
    finally:
        reader.close()


def _spacing(spacing_mm: tuple[float, float] | None) -> str | None:
    if spacing_mm is None:
        return None
    return f"{spacing_mm[1] * 1000:.4g} × {spacing_mm[0] * 1000:.4g} µm"
