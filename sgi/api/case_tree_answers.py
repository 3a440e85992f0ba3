"""What is told of what a case is made of: specimens, their blocks, their slides and images."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from sgi.api.code_words import word_of, words_of
from sgi.catalogue.scans import Scan
from sgi.domain.case import Glass
from sgi.domain.case_tree import BlockBranch, SpecimenBranch


class ScanOut(BaseModel):
    """One image of a slide."""

    slide_id: UUID
    current: bool
    published_at: datetime
    scanned_at: str | None
    quality_verdict: str | None


class GlassOut(BaseModel):
    """A glass slide, scanned or not."""

    id: UUID
    identifier: str
    stain: str | None
    """For people: stains, else the technique."""
    stains: list[str]
    description: str | None
    comment: str | None
    to_be_scanned: bool
    cancelled: bool
    rescan_asked_at: datetime | None
    rescan_reason: str | None
    rescan_asked_by: str | None
    scans: list[ScanOut]


class BlockOut(BaseModel):
    """A block and its slides; `id` and `identifier` are None for slides of which nobody said it."""

    id: UUID | None = None
    identifier: str | None = None
    embedding: str | None = None
    description: str | None = None
    comment: str | None = None
    cancelled: bool
    slides: list[GlassOut]


class SpecimenOut(BaseModel):
    """A specimen and its blocks; None as above."""

    id: UUID | None = None
    identifier: str | None = None
    organ: str | None = None
    laterality: str | None = None
    description: str | None = None
    comment: str | None = None
    collection: str | None = None
    fixative: str | None = None
    collected_at: datetime | None = None
    received_at: datetime | None = None
    cancelled: bool
    blocks: list[BlockOut]


def specimen_out(branch: SpecimenBranch, scans: dict[UUID, list[Scan]]) -> SpecimenOut:
    blocks = [_block(each, scans) for each in branch.blocks]
    said = branch.specimen
    if said is None:
        return SpecimenOut(cancelled=False, blocks=blocks)
    return SpecimenOut(
        id=said.id,
        identifier=said.identifier,
        organ=word_of(said.site) or word_of(said.specimen_type),
        laterality=word_of(said.laterality),
        description=said.description,
        comment=said.comment,
        collection=word_of(said.collection),
        fixative=word_of(said.fixative),
        collected_at=said.collected_at,
        received_at=said.received_at,
        cancelled=said.cancelled_at is not None,
        blocks=blocks,
    )


def _block(branch: BlockBranch, scans: dict[UUID, list[Scan]]) -> BlockOut:
    slides = [_glass(each, scans.get(each.id, [])) for each in branch.glasses]
    said = branch.block
    if said is None:
        return BlockOut(cancelled=False, slides=slides)
    return BlockOut(
        id=said.id,
        identifier=said.identifier,
        embedding=word_of(said.embedding),
        description=said.description,
        comment=said.comment,
        cancelled=said.cancelled_at is not None,
        slides=slides,
    )


def _glass(glass: Glass, scans: list[Scan]) -> GlassOut:
    return GlassOut(
        id=glass.id,
        identifier=glass.identifier,
        stain=words_of(glass.stains) or word_of(glass.technique),
        stains=[word_of(stain) or "" for stain in glass.stains],
        description=glass.description,
        comment=glass.comment,
        to_be_scanned=glass.to_be_scanned,
        cancelled=glass.cancelled_at is not None,
        rescan_asked_at=glass.rescan_asked_at,
        rescan_reason=glass.rescan_reason,
        rescan_asked_by=glass.rescan_asked_by if glass.rescan_asked_at else None,
        scans=[ScanOut.model_validate(scan, from_attributes=True) for scan in scans],
    )
