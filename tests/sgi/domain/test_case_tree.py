"""Each block and each slide stands in the tree exactly once, whatever is said of parents."""

import uuid
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.case import AssetKind, Glass, Specimen
from sgi.domain.case_tree import tree

names = st.sampled_from(["A", "B", "C", "D"])
parents = st.one_of(st.none(), names, st.just("unknown"))


def specimen(kind: AssetKind, name: str, parent: str | None) -> Specimen:
    return Specimen(uuid.uuid4(), kind, name, None, parent, *[None] * 11)


def glass(name: str, parent: str | None) -> Glass:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Glass(
        uuid.uuid4(),
        uuid.uuid4(),
        None,
        name,
        parent,
        (),
        None,
        None,
        None,
        True,
        *[None] * 4,
        at,
        at,
    )


@given(
    st.lists(names, unique=True),
    st.lists(st.tuples(names, parents), unique_by=lambda each: each[0]),
    st.lists(st.tuples(st.integers(), parents), unique_by=lambda each: each[0]),
)
def test_everything_is_there_once(
    parts: list[str],
    blocks: list[tuple[str, str | None]],
    glasses: list[tuple[int, str | None]],
) -> None:
    made_parts = [specimen(AssetKind.SPECIMEN, name, None) for name in parts]
    made_blocks = [specimen(AssetKind.BLOCK, name, parent) for name, parent in blocks]
    made_glasses = [glass(str(name), parent) for name, parent in glasses]
    found = tree([*made_parts, *made_blocks], made_glasses)
    found_parts = [branch.specimen for branch in found if branch.specimen is not None]
    inner = [each for branch in found for each in branch.blocks]
    assert found_parts == made_parts
    assert sorted(each.block.identifier for each in inner if each.block) == sorted(
        name for name, _ in blocks
    )
    assert sorted(each.id for branch in inner for each in branch.glasses) == sorted(
        each.id for each in made_glasses
    )
    for branch in found:
        for each in branch.blocks:
            if branch.specimen is not None and each.block is not None:
                assert each.block.parent_identifier == branch.specimen.identifier
