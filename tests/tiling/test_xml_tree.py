"""XML from strangers: read, bounded, or refused in our own words."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling import xml_tree
from tiling.errors import DamagedSlideError, SlideTooLargeError, TilingError
from tiling.xml_tree import flatten, parse_root, parse_xml

DOCUMENT = (
    '<?xml version="1.0" encoding="utf-16"?><!-- a note --><a:scan xmlns:a="urn:x" a:date="today">'
    '<image n="0">first</image><image n="1"> second </image><empty/></a:scan>'
)


def test_names_attributes_and_text_are_found() -> None:
    root = parse_xml(DOCUMENT)
    assert root.name == "scan"
    assert root.attributes["date"] == "today"
    assert [image.text for image in root.all("image")] == ["first", "second"]
    assert root.words("empty") is None
    assert root.first("nothing") is None


def test_everything_is_flattened() -> None:
    assert flatten(parse_xml(DOCUMENT)) == {
        "a": "urn:x",
        "date": "today",
        "image[0]": "first",
        "image[0].n": "0",
        "image[1]": "second",
        "image[1].n": "1",
    }


def test_the_root_is_found_in_a_broken_document() -> None:
    root = parse_root(DOCUMENT[:-20])
    assert root is not None
    assert root.name == "scan"
    assert parse_root("no XML at all") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no XML at all",
        DOCUMENT[:-3],
        "<a>&unknown;</a>",
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        "<a>\0</a>",
    ],
)
def test_what_is_no_plain_xml_is_refused(text: str) -> None:
    with pytest.raises(DamagedSlideError):
        parse_xml(text)


def test_a_doctype_is_refused_before_it_is_parsed() -> None:
    assert parse_root("<!DOCTYPE a><a/>") is None
    with pytest.raises(DamagedSlideError):
        parse_xml("<a><![CDATA[<!DOCTYPE b>]]></a>")


def test_depth_and_number_of_elements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SlideTooLargeError):
        parse_xml("<a>" * 140 + "</a>" * 140)
    monkeypatch.setattr(xml_tree, "MAX_ELEMENTS", 10)
    with pytest.raises(SlideTooLargeError):
        parse_xml("<a>" + "<b/>" * 10 + "</a>")


def test_the_length_of_all_paths_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    root = parse_xml("<a><long><b/><c/></long></a>")
    monkeypatch.setattr(xml_tree, "MAX_PATHS", 14)
    flatten(root)
    monkeypatch.setattr(xml_tree, "MAX_PATHS", 13)
    with pytest.raises(SlideTooLargeError):
        flatten(root)


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)


@given(text=st.text() | st.text("<>/!?-[]&;:\"'= ax", max_size=60))
def test_any_text_is_a_tree_or_our_error(text: str) -> None:
    parse_root(text)
    with suppress(TilingError):
        flatten(parse_xml(text))


@given(position=st.integers(0, len(DOCUMENT)), put_in=texts, kept=st.integers(0, len(DOCUMENT)))
def test_a_changed_document_is_a_tree_or_our_error(position: int, put_in: str, kept: int) -> None:
    with suppress(TilingError):
        flatten(parse_xml((DOCUMENT[:position] + put_in + DOCUMENT[position:])[:kept]))
