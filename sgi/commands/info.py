"""`sgi info FILE`: what a file is, for a person."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sgi.commands.source import open_source
from sgi.confine import confine
from sgi.domain.patient_codes import before_patient_code
from sgi.errors import VanishedError
from sgi.ingest.label import Label, read_label, shown_codes
from sgi.settings import IngestSettings
from tiling.slide import SlideReader


def show_info(file: Path, settings: IngestSettings) -> None:
    """Print format, scale, scanner, levels and associated images; raises TilingError.

    The file is not trusted: this process gives up whatever else it could reach.
    """
    if not file.exists():
        raise VanishedError(f"There is no file {file}; check the name.")
    confine(settings.memory_mb << 20, int(settings.timeout_s), [file.resolve().parent])
    reader = open_source(file)
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
            ("optical paths", _paths(reader)),
            ("focal planes", _planes(reader.focal_planes_um)),
            ("samples", f"{reader.pixel_format.samples} × {reader.pixel_format.bits} bits"),
            (
                "scenes",
                f"{len(reader.scenes)}, of which this is the first"
                if len(reader.scenes) > 1
                else "1",
            ),
            ("barcode", _barcode(read_label(reader))),
            ("label text", _label_text(said.label_text)),
            ("not kept", " ".join(said.not_kept) or "nothing is left out"),
            (
                "associated",
                ", ".join(f"{k} {s.columns} × {s.rows}" for k, s in reader.associated.items()),
            ),
        ]
        for name, value in rows:
            facts.add_row(name, _harmless(_told(value) or "not in the file"))
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


def _barcode(label: Label) -> str | None:
    """Who says it: the scanner in the file, or we by the label's picture."""
    if label.warning:
        return label.warning
    if label.said is not None:
        return shown_codes(label.barcodes)
    return f"not in the file; its label reads {shown_codes(label.seen)}" if label.seen else None


def _told(value: str | None) -> str | None:
    """Whatever row a scanner puts it into, what a patient's code says is not printed."""
    return shown_codes([value]) if value else value


def _label_text(said: str | None) -> str | None:
    """As far as a patient's code."""
    before = None if said is None else before_patient_code(said)
    return said if before is None else f"{before} (a patient's INS code)".lstrip()


def _harmless(text: str) -> Text:
    """Without characters that a terminal would obey, or words that would be taken for markup."""
    return Text("".join(character if character.isprintable() else " " for character in text))


def _paths(reader: SlideReader) -> str:
    names = [path.name or f"path {at + 1}" for at, path in enumerate(reader.optical_paths)]
    return f"{', '.join(names)} ({reader.optical_paths[0].illumination})"


def _planes(heights_um: Sequence[float]) -> str:
    if len(heights_um) == 1:
        return "1"
    return f"{len(heights_um)}, from {heights_um[0]:g} to {heights_um[-1]:g} µm"


def _spacing(spacing_mm: tuple[float, float] | None) -> str | None:
    if spacing_mm is None:
        return None
    return f"{spacing_mm[1] * 1000:.4g} × {spacing_mm[0] * 1000:.4g} µm"
