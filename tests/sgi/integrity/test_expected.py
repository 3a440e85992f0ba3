"""Manifests of every age beside the rows of a slide."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sgi.domain.slide import Slide
from sgi.integrity.expected import parse_manifest, says_the_same
from sgi.stored.keys import manifest_key

CHANGES: dict[str, dict[str, Any]] = {
    "text": {"header_bytes": "12"},
    "negative": {"header_bytes": -1},
    "no hash": {"header_sha256": None},
    "no length": {"header_bytes": None},
    "short": {"header_sha256": "ab"},
    "number": {"header_sha256": 5},
}


@pytest.fixture
def manifest(here: Any, store: Any, publish: Callable[..., Slide]) -> tuple[Slide, dict[str, Any]]:
    slide = publish(here, store)
    return slide, json.loads(store.objects[manifest_key(slide.id)])


def changed(document: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> bytes:
    inner = json.loads(document["manifest"])
    for item in inner["instances"]:
        change(item)
    return json.dumps(document | {"manifest": json.dumps(inner)}).encode()


def test_one_written_before_headers_were_hashed_says_the_same(manifest: Any) -> None:
    slide, document = manifest

    def forget(item: dict[str, Any]) -> None:
        del item["header_bytes"], item["header_sha256"]

    old = parse_manifest(changed(document, forget))
    new = parse_manifest(json.dumps(document).encode())
    bare = tuple(replace(i, header_bytes=None, header_sha256=None) for i in slide.instances)
    assert old is not None
    assert new is not None
    assert says_the_same(slide, old), "the header was proved later"
    assert says_the_same(slide, new)
    assert says_the_same(replace(slide, instances=bare), old)
    assert not says_the_same(replace(slide, instances=bare), new)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_header_that_no_row_can_hold_is_no_manifest(
    manifest: Any, change: dict[str, Any]
) -> None:
    _, document = manifest
    assert parse_manifest(changed(document, lambda item: item.update(change))) is None
