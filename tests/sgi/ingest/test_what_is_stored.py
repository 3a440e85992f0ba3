"""A slide that is opened can be told of to the end, however many layers and frames it has."""

from sgi.domain.facts import PathFacts, SlideFacts
from sgi.ingest.pipe import MAX_PAYLOAD
from tiling.limits import Limits

_HASH_BYTES = 32
_TOLD_BESIDE_BYTES = 4096


def test_the_hashes_of_the_largest_instance_are_one_message() -> None:
    assert Limits().level_frames * _HASH_BYTES + _TOLD_BESIDE_BYTES <= MAX_PAYLOAD


def test_the_facts_hold_as_many_paths_and_planes_as_are_opened() -> None:
    most = Limits().layers
    said = dict.fromkeys(
        (
            "pixel_spacing_mm",
            "objective_power",
            "scanned_at",
            "manufacturer",
            "model",
            "serial_number",
        )
    )
    facts = SlideFacts(
        **said,
        format="any",
        icc=False,
        metadata={},
        optical_paths=(PathFacts(),) * most,
        focal_planes_um=tuple(map(float, range(most))),
    )
    assert len(facts.optical_paths) == len(facts.focal_planes_um) == most
