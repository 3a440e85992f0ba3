"""`sgi convert SRC DST`: one file to a folder of DICOM instances, without a server."""

import tempfile
import uuid
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from dicom.conversion import convert
from dicom.models import SlideIdentity
from dicom.targets import DirectoryTarget
from sgi.errors import ConflictError, VanishedError
from sgi.ingest.confine import confine
from sgi.settings import IngestSettings
from tiling.codecs.jpeg import JpegOptions
from tiling.pyramid import PyramidOptions, build_pyramid
from tiling.registry import open_slide


def convert_file(source: Path, target: Path, settings: IngestSettings) -> None:
    """Write one DICOM file a level and associated image into `target`, a new or empty folder.

    The slide's UIDs are new each time: two conversions are two sets of instances. Raises
    TilingError, DicomError, VanishedError, or ConflictError when `target` holds files already.
    """
    if not source.is_file():
        raise VanishedError(f"There is no file {source}; check the name.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConflictError(f"{target} is not an empty folder; choose another.")
    # The file is not trusted: this process gives up whatever else it could reach. `target` itself
    # is made only once the file is known to be a slide.
    source, beside = source.resolve(), target.absolute().parent
    beside.mkdir(parents=True, exist_ok=True)
    cpu_s = int(settings.timeout_s) * settings.threads
    confine(settings.memory_mb << 20, cpu_s, [source.parent], [beside])
    reader = open_slide(source)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=target, prefix=".scratch-") as scratch,
            Progress(console=Console(stderr=True)) as bars,
        ):
            bar = bars.add_task("converting", total=1.0)
            levels = build_pyramid(
                reader,
                Path(scratch),
                PyramidOptions(
                    JpegOptions(quality=settings.jpeg_quality), workers=settings.threads
                ),
                lambda done, total: bars.update(bar, completed=0.5 * done / max(total, 1)),
            )
            convert(
                reader,
                levels,
                SlideIdentity(uuid.uuid4()),
                DirectoryTarget(target),
                progress=lambda done, total: bars.update(
                    bar, completed=0.5 + 0.5 * done / max(total, 1)
                ),
            )
            bars.update(bar, completed=1.0)
    finally:
        reader.close()
