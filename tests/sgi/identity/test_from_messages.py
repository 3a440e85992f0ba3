"""A laboratory's own messages and a scan, in any order: the instances say the same in the end."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sgi.catalogue import dicomweb, slides
from sgi.domain.slide import Slide
from sgi.hl7.interfaces import parse_interface
from sgi.hl7.receive import Receiver
from sgi.identity.rounds import Round
from sgi.ingest.identify import identify
from sgi.jobs.keeping import Keeping
from sgi.stores import Stores

MESSAGES = ("P01_ADT_A01", "T01_LAB-100", "T02_LAB-100", "T03_LAB-100", "T05a_LAB-101")
SCAN = "the scan"
GLASS = "26P00123.A.01.01"
ORDERS = [
    (*MESSAGES, SCAN),
    (SCAN, *MESSAGES),
    (SCAN, *reversed(MESSAGES)),
    *itertools.islice(itertools.permutations((*MESSAGES, SCAN)), 100, 720, 310),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: " ".join(map(str, order)))
def test_whatever_comes_first(
    laboratory: Any,
    here: Any,
    store: Any,
    settings: Any,
    run: Any,
    interop: Path,
    convert_into: Any,
    publish_converted: Callable[..., Slide],
    order: tuple[str, ...],
) -> None:
    lab = laboratory(here)
    interface = parse_interface({"events": {"processing": ["P", "T"]}}, "tests.toml", "tests")
    receive = Receiver(lab.database, here.id, interface)
    round_ = Round(Keeping(settings, lab.database, Stores(store)))
    made = convert_into(store)
    facts = made.facts.model_copy(update={"barcodes": (GLASS,)})
    slide = publish_converted(here, store, replace(made, facts=facts), "a.svs")
    for step in order:
        if step is SCAN:
            run(identify(lab.database, slide, []))
        else:
            (path,) = (interop / "synthetic").glob(f"{step}*.hl7")
            result = run(receive.receive(path.read_bytes()))
            assert b"MSA|AA" in result.answer
        run(round_.run())
    now = lab.do(lambda c: slides.by_id(c, slide.id))
    documents = lab.do(lambda c: dicomweb.documents_of(c, slide.id))
    (case,) = lab.rows("select * from lab_case")
    assert now.told.study_uid == case["study_uid"]
    assert set(documents) == {now.told_uid(each) for each in slide.instances}
    for document in documents.values():
        said = json.dumps(document, ensure_ascii=False)
        assert document["00100010"]["Value"] == [{"Alphabetic": "PAT-TROIS^DOMINIQUE"}]
        assert document["00100020"]["Value"] == ["000003"]
        assert document["00100030"]["Value"] == ["19790328"]
        assert document["00080050"]["Value"] == ["26P00123"]
        assert document["00400512"]["Value"] == [GLASS]
        for words in ("Hematoxylin stain", "Water soluble eosin stain", "26P00123.A.01"):
            assert words in said
