"""`sgi convert SRC DST`: one slide to DICOM instances or to an OME-Zarr, without a server."""

import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from dicom.conversion import ConversionOptions, convert
from dicom.models import SlideIdentity
from dicom.targets import PARTIAL, WholeSlideTarget
from sgi.commands.form import Form
from sgi.commands.source import open_source
from sgi.confine import confine
from sgi.domain.patient_codes import holds_patient_code, is_withheld
from sgi.errors import ConflictError, VanishedError
from sgi.ingest.label import read_label
from sgi.settings import IngestSettings
from tiling.codecs.jpeg import JpegOptions
from tiling.omezarr.writer import WriteOptions, write_omezarr
from tiling.pyramid import PyramidOptions, build_pyramid
from tiling.slide import SlideReader

Tell = Callable[[float], None]
"""Told the share of the work that is done, 0 to 1."""
_SCRATCH = ".scratch-"
_OURS = re.compile(
    r"(\d+|zarr\.json|scene-\d+(\.zarr)?|\.scratch-.*|[a-z]+(-\d+)?\.dcm(\.partial)?)\Z"
)
"""What a conversion calls the files and folders that it makes."""
_STEP = 0.002
"""Share of the work that moves the bar: to move it for every frame takes longer than the frame."""


def convert_file(
    source: Path, target: Path, settings: IngestSettings, form: Form = Form.DICOM
) -> None:
    """Write the slide into `target`, a new or empty folder.

    The UIDs of DICOM are new each time: two conversions are two sets of instances. A failure
    leaves nothing. Raises TilingError, DicomError, VanishedError, or ConflictError when `target`
    holds files already or is not named like a Zarr.
    """
    if not source.exists():
        raise VanishedError(f"There is no file {source}; check the name.")
    _check_is_free(target)
    if form is Form.OME_ZARR and target.suffix != ".zarr":
        raise ConflictError("The name of an OME-Zarr ends in .zarr; choose such a name.")
    # The file is not trusted: this process gives up whatever else it could reach. `target` itself
    # is made only once the file is known to be a slide.
    source, beside = source.resolve(), target.absolute().parent
    beside.mkdir(parents=True, exist_ok=True)
    cpu_s = int(settings.timeout_s) * settings.threads
    confine(settings.memory_mb << 20, cpu_s, [source.parent], [beside])
    reader = open_source(source)
    try:
        scenes = reader.scenes
        with _whole_or_nothing(target), Progress(console=Console(stderr=True)) as bars:
            for number, scene in enumerate(scenes, start=1):
                folder = target / _place(number, form) if len(scenes) > 1 else target
                folder.mkdir(exist_ok=True)
                _convert_scene(scene, folder, settings, form, bars)
    finally:
        reader.close()


def _check_is_free(target: Path) -> None:
    if not target.exists():
        return
    if target.is_dir() and any(map(_is_left_behind, target.iterdir())):
        raise ConflictError(
            f"A conversion into {target} did not come to its end; "
            "delete that folder, or choose another."
        )
    if not target.is_dir() or any(target.iterdir()):
        raise ConflictError(f"{target} is not an empty folder; choose another.")


def _is_left_behind(path: Path) -> bool:
    """Whether a process that was ended wrote this, and could not clear it away."""
    return path.name.startswith(_SCRATCH) or path.name.endswith(PARTIAL)


@contextmanager
def _whole_or_nothing(target: Path) -> Iterator[None]:
    """Make the folder, which is new or empty; after an error it is so again."""
    was_there = target.exists()
    target.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for path in target.iterdir():
            if _OURS.match(path.name) is None:
                continue  # somebody put it there meanwhile
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if not was_there:
            with suppress(OSError):
                target.rmdir()
        raise


def _place(number: int, form: Form) -> str:
    """Where a scene goes, where there are several."""
    return f"scene-{number}" if form is Form.DICOM else f"scene-{number}.zarr"


def _convert_scene(
    reader: SlideReader,
    folder: Path,
    settings: IngestSettings,
    form: Form,
    bars: Progress,
) -> None:
    bar = bars.add_task("converting", total=1.0)
    shown = 0.0

    def show(share: float) -> None:
        nonlocal shown
        if share - shown >= _STEP:
            shown = share
            bars.update(bar, completed=share)

    write = _write_dicom if form is Form.DICOM else _write_omezarr
    with tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as scratch:
        write(reader, folder, Path(scratch), settings, show)
    bars.update(bar, completed=1.0)


def _write_dicom(
    reader: SlideReader, folder: Path, scratch: Path, settings: IngestSettings, tell: Tell
) -> None:
    options = PyramidOptions(
        JpegOptions(quality=settings.jpeg_quality),
        fill_gaps=settings.fill_gaps,
        workers=settings.threads,
    )
    label = read_label(reader)
    if label.warning:
        Console(stderr=True).print(label.warning, markup=False)
    levels = build_pyramid(
        reader, scratch, options, lambda done, total: tell(0.5 * done / max(total, 1))
    )
    with WholeSlideTarget(folder) as slide:
        convert(
            reader,
            levels,
            SlideIdentity(uuid.uuid4()),
            slide,
            ConversionOptions(
                barcode=label.of_glass, taken_in_at=datetime.now(UTC), withholds=is_withheld
            ),
            progress=lambda done, total: tell(0.5 + 0.5 * done / max(total, 1)),
        )


def _write_omezarr(
    reader: SlideReader, folder: Path, scratch: Path, settings: IngestSettings, tell: Tell
) -> None:
    def write(key: str, data: bytes) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    name = folder.stem.removesuffix(".ome")
    options = WriteOptions(workers=settings.threads, withholds=holds_patient_code)
    write_omezarr(reader, name, write, scratch, options, lambda done, total: tell(done / total))
