"""A case as people see it: specimens, in them blocks, in them slides."""

from collections.abc import Iterable
from dataclasses import dataclass

from sgi.domain.case import AssetKind, Glass, Specimen


@dataclass(frozen=True, slots=True)
class BlockBranch:
    """A block and its slides; no block where the slides are cut from none, or from one unknown."""

    block: Specimen | None
    glasses: tuple[Glass, ...]


@dataclass(frozen=True, slots=True)
class SpecimenBranch:
    """A specimen and its blocks; no specimen where nobody said which."""

    specimen: Specimen | None
    blocks: tuple[BlockBranch, ...]


def tree(specimens: Iterable[Specimen], glasses: Iterable[Glass]) -> tuple[SpecimenBranch, ...]:
    """By what each says its parent is, never by its identifier; each is there exactly once."""
    known = list(specimens)
    parts = {each.identifier: each for each in known if each.kind is AssetKind.SPECIMEN}
    blocks = {each.identifier: each for each in known if each.kind is AssetKind.BLOCK}
    of_block: dict[str, list[Glass]] = {name: [] for name in blocks}
    of_part: dict[str, list[Glass]] = {name: [] for name in parts}
    lost: list[Glass] = []
    for glass in glasses:
        parent = glass.parent_identifier or ""
        of_block.get(parent, of_part.get(parent, lost)).append(glass)
    branches = [
        SpecimenBranch(
            part,
            (
                *_blocks(blocks.values(), of_block, name),
                *_bare(of_part[name]),
            ),
        )
        for name, part in parts.items()
    ]
    astray = [each for each in blocks.values() if (each.parent_identifier or "") not in parts]
    rest = (*(_branch(each, of_block) for each in astray), *_bare(lost))
    return (*branches, SpecimenBranch(None, rest)) if rest else tuple(branches)


def _blocks(
    blocks: Iterable[Specimen], of_block: dict[str, list[Glass]], part: str
) -> tuple[BlockBranch, ...]:
    return tuple(_branch(each, of_block) for each in blocks if each.parent_identifier == part)


def _branch(block: Specimen, of_block: dict[str, list[Glass]]) -> BlockBranch:
    return BlockBranch(block, tuple(of_block[block.identifier]))


def _bare(glasses: list[Glass]) -> tuple[BlockBranch, ...]:
    return (BlockBranch(None, tuple(glasses)),) if glasses else ()
