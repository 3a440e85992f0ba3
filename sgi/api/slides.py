"""`/api/v1/slides`: the worklist and one slide's facts."""

import asyncio
import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from sgi.api.images import PICTURES_OF_LABEL
from sgi.api.label_codes import codes_out, label_text_out, metadata_out, shows_patient_code
from sgi.api.language import requested_language
from sgi.api.services import WITHOUT_NUL, actor_of, services_of, session_of
from sgi.api.sign_in import EstablishmentOut
from sgi.api.tiers import SlideTiersOut, slide_tiers_out
from sgi.catalogue import audit, incidents, slides
from sgi.catalogue.audit import Action
from sgi.domain.account import Role, Session
from sgi.domain.facts import SlideFacts
from sgi.domain.french import LEFT_OUT, in_french
from sgi.domain.quality import HeatMapShape, QualityReport, SlideQuality
from sgi.domain.slide import Slide
from sgi.domain.tier import Tier
from sgi.domain.words import Language
from sgi.errors import InvalidRequestError, NotFoundError

router = APIRouter(prefix="/api/v1", tags=["slides"])


class LevelOut(BaseModel):
    """One stored resolution; 0 is the base."""

    level: int
    columns: int
    rows: int
    tile_columns: int
    tile_rows: int
    downsample: float
    transfer_syntax: str
    origin: str
    """"passed through", "re-encoded" or "built"."""
    tier: Tier
    """Only what is "warm" can be read."""


class PathOut(BaseModel):
    """An optical path: `path` of a tile is its index."""

    name: str | None
    illumination: str
    """"brightfield" or "fluorescence"."""
    colour: tuple[int, int, int] | None
    """In which it is tinted; None for a path of true colours."""
    excitation_nm: float | None
    emission_nm: float | None
    window: tuple[int, int] | None
    """The samples that a tile shows black and full; None for a path of true colours."""


class SlideSummary(BaseModel):
    """A slide in a list."""

    id: UUID
    file_name: str
    format: str
    scene: str | None
    """Which image of its file it is, where the file holds several."""
    quality_verdict: str | None
    """"pass", "look" or "rescan"; None where the slide was not judged."""
    published_at: datetime
    scanned_at: datetime | None
    objective_power: float | None
    pixel_spacing_mm: tuple[float, float] | None
    """Of level 0: between rows, between columns."""
    columns: int
    rows: int
    size_bytes: int
    """Of all stored instances."""
    associated: list[str]
    establishment: EstablishmentOut
    levels: list[LevelOut]
    study_uid: str
    series_uid: str
    damaged: bool
    """True when something of it is not what was written, and could not be repaired; what is shown
    is sound all the same."""


class QualityOut(QualityReport):
    """What the quality gate says; the heat map is at `/slides/{id}/focus`."""

    heat_map: HeatMapShape | None


class SlidesOut(BaseModel):
    """One page, newest first."""

    items: list[SlideSummary]
    next: str | None
    """Give it as `after` for the next page; None on the last."""


class SlideOut(SlideSummary):
    """Everything that a viewer needs to know."""

    source_sha256: str
    manufacturer: str | None
    model: str | None
    serial_number: str | None
    icc: bool
    samples: int
    bits: int
    optical_paths: list[PathOut]
    focal_planes_um: list[float]
    """Heights, rising; `plane` of a tile is an index into them."""
    label_text: str | None
    barcodes: list[str | None]
    """The file's own first, then those of the label's picture; None for a patient's INS datamatrix,
    whose content is told to nobody."""
    barcode_contradicts: bool
    """The first is the file's own, and the picture shows only the others."""
    not_kept: list[str]
    """What of the file is not in the slide, in sentences."""
    left_out: list[str]
    """Images of the file that could not be decoded."""
    quality: QualityOut | None
    tiers: SlideTiersOut
    metadata: Mapping[str, str]


_FACTS_OUT = set(SlideOut.model_fields) & set(SlideFacts.model_fields)


def _summary(slide: Slide, *, damaged: bool) -> dict[str, object]:
    base, facts = slide.levels[0], slide.facts
    return {
        "id": slide.id,
        "file_name": slide.file_name,
        "format": facts.format,
        "scene": facts.scene,
        "quality_verdict": slide.quality.report.verdict if slide.quality else None,
        "published_at": slide.published_at,
        "scanned_at": facts.scanned_at,
        "objective_power": facts.objective_power,
        "pixel_spacing_mm": facts.pixel_spacing_mm,
        "columns": base.columns,
        "rows": base.rows,
        "size_bytes": sum(instance.size_bytes for instance in slide.instances),
        "associated": sorted(i.role for i in slide.instances if i.level is None),
        "establishment": {"id": slide.establishment_id, "name": slide.establishment_name},
        "levels": [
            {
                "level": level.level,
                "columns": level.columns,
                "rows": level.rows,
                "tile_columns": level.tile_columns,
                "tile_rows": level.tile_rows,
                "downsample": level.downsample,
                "transfer_syntax": level.transfer_syntax,
                "origin": level.origin,
                "tier": level.tier,
            }
            for level in slide.levels
        ],
        "study_uid": slide.told_study_uid,
        "series_uid": slide.told_series_uid,
        "damaged": damaged,
    }


def _associated(slide: Slide, session: Session) -> list[str]:
    """As far as they are shown to whoever asks."""
    told = {instance.role for instance in slide.instances if instance.level is None}
    if session.role is Role.GUEST and shows_patient_code(slide.facts):
        told -= PICTURES_OF_LABEL
    return sorted(told)


def _label_out(facts: SlideFacts) -> dict[str, object]:
    return {
        "label_text": label_text_out(facts.label_text),
        "barcodes": codes_out(facts.barcodes),
        "metadata": metadata_out(facts.metadata),
    }


def _left_out(said: str, language: Language) -> str:
    french = in_french(said, table=LEFT_OUT) if language is Language.FRENCH else None
    return french or said


def _quality(judged: SlideQuality) -> dict[str, object]:
    return {**judged.report.model_dump(), "heat_map": judged.heat_map}


def _cursor(slide: Slide) -> str:
    text = f"{slide.published_at.isoformat()} {slide.id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _parse_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, slide_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return datetime.fromisoformat(at), UUID(slide_id)
    except ValueError as error:
        raise InvalidRequestError("The cursor is not one that was given out.") from error


@router.get("/slides")
async def list_slides(
    request: Request,
    q: Annotated[str | None, Query(max_length=200, pattern=WITHOUT_NUL)] = None,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 60,
) -> SlidesOut:
    """Published slides, newest first; `q` is a part of the file name."""
    position = None if after is None else _parse_cursor(after)
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        found = await slides.newest(connection, limit=limit + 1, matching=q, after=position)
        damaged = await incidents.damaged(connection, [slide.id for slide in found])
    page = found[:limit]
    return SlidesOut(
        items=[
            SlideSummary.model_validate(_summary(slide, damaged=slide.id in damaged))
            for slide in page
        ],
        next=_cursor(page[-1]) if len(found) > limit else None,
    )


@router.get("/slides/{slide_id}")
async def get_slide(slide_id: UUID, request: Request) -> SlideOut:
    """One slide; opening it is a view in the audit."""
    language = requested_language(request)
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        slide = await slides.by_id(connection, slide_id)
        if slide is None:
            raise NotFoundError("There is no such slide.")
        damaged = bool(await incidents.damaged(connection, [slide_id]))
        tiers = await slide_tiers_out(
            services_of(request), session_of(request), connection, slide, language
        )
        await audit.record(
            connection, establishment_id, actor_of(request), Action.VIEW_SLIDE, slide_id
        )
    label = await asyncio.to_thread(_label_out, slide.facts)
    return SlideOut.model_validate(
        {
            **_summary(slide, damaged=damaged),
            "associated": _associated(slide, session_of(request)),
            "source_sha256": slide.source_sha256,
            **slide.facts.model_dump(include=_FACTS_OUT - {"metadata"}),
            **label,
            "not_kept": [_left_out(said, language) for said in slide.facts.not_kept],
            "quality": slide.quality and _quality(slide.quality),
            "tiers": tiers,
        }
    )
