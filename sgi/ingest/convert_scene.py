"""One slide of an open file on its way to the parent: pyramid, instances, facts and verdict.

Whatever reads and writes slides is loaded with this module, in the child alone.
"""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dicom.conversion import ConversionOptions, convert
from dicom.models import SlideIdentity
from sgi.domain.patient_codes import holds_patient_code, is_withheld
from sgi.domain.quality import SlideQuality
from sgi.domain.slide import scene_slide_id
from sgi.ingest.facts import facts_of
from sgi.ingest.gate import judge_slide
from sgi.ingest.label import read_label
from sgi.ingest.quality.report import Examination
from tiling.codecs.jpeg import JpegOptions
from tiling.omezarr.writer import WriteOptions, write_omezarr
from tiling.pyramid import PyramidOptions, build_pyramid
from tiling.slide import SlideReader

if TYPE_CHECKING:
    from sgi.ingest.convert_child import ConversionJob, PipeTarget

_DICOM_SHARE = 0.6
"""Of the work, where the slide is written as an OME-Zarr as well."""


def convert_scene(
    job: "ConversionJob",
    reader: SlideReader,
    number: int,
    scenes: int,
    target: "PipeTarget",
    tell: Callable[[float], None],
) -> dict[str, object]:
    """The scene of that number of so many; gives its part of the RESULT.

    `tell` hears the share of the scene's work that is done, 0 to 1: half of a conversion is
    encoding, half writing.
    """
    part = _DICOM_SHARE if job.ome_zarr else 1.0
    options = PyramidOptions(
        JpegOptions(quality=job.jpeg_quality), fill_gaps=job.fill_gaps, workers=job.threads
    )
    levels = build_pyramid(
        reader,
        Path(job.scratch),
        options,
        lambda done, total: tell(part * 0.5 * done / max(total, 1)),
    )
    label = read_label(reader)
    slide_id = scene_slide_id(job.slide_id, number)
    converted = convert(
        reader,
        levels,
        SlideIdentity(slide_id),
        target,
        ConversionOptions(
            barcode=label.of_glass, taken_in_at=job.taken_in_at, withholds=is_withheld
        ),
        lambda done, total: tell(part * (0.5 + 0.5 * done / max(total, 1))),
        target.prove,
    )
    if job.ome_zarr:
        write_omezarr(
            reader,
            str(slide_id),
            target.put_zarr,
            Path(job.scratch),
            WriteOptions(workers=job.threads, withholds=holds_patient_code),
            lambda done, total: tell(part + (1 - part) * done / total),
        )
    facts = facts_of(
        reader,
        levels,
        scene=f"{number + 1}/{scenes}" if scenes > 1 else None,
        label=label,
        left_out=converted.manifest.left_out,
    )
    return {
        "manifest": converted.manifest.to_json(),
        "facts": facts.model_dump(mode="json"),
        **_judged(judge_slide(reader, levels, job.limits)),
    }


def _judged(examination: Examination | None) -> dict[str, object]:
    """A slide's quality as it crosses to the parent."""
    if examination is None:
        return {"quality": None, "heat_map": None}
    heat_map = examination.heat_map
    if heat_map is None:
        quality, picture = SlideQuality(report=examination.report), None
    else:
        quality = SlideQuality(report=examination.report, heat_map=heat_map.shape)
        picture = base64.b64encode(heat_map.as_png()).decode()
    return {"quality": quality.model_dump(mode="json"), "heat_map": picture}
