"""Both tables at once: every error class of the five packages has its row in each."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import dicom.errors
import sgi.hl7.errors as hl7_errors
import storage.errors
import tiling.errors
from sgi import errors
from sgi.api.errors import ANSWERS, answer_to
from sgi.domain.arrival import ReasonCode
from sgi.domain.words import Language
from sgi.engines.errors import EngineError
from sgi.jobs.decisions import VERDICTS, Decision, Verdict, pause_before, verdict_on

PACKAGES = ("sgi", "tiling", "dicom", "storage")
ROOTS = (
    errors.SgiError,
    tiling.errors.TilingError,
    dicom.errors.DicomError,
    storage.errors.StorageError,
)
WITHOUT_VERDICT: dict[type[Exception], type[Exception]] = {
    # Only commands start engines: it is told on stderr, and decided nowhere.
    EngineError: errors.SgiError,
    # Answered to who sent the message, by a table of its own: `sgi.hl7.verdicts`.
    **{
        kind: errors.SgiError
        for kind in vars(hl7_errors).values()
        if isinstance(kind, type)
        and kind.__module__ == hl7_errors.__name__
        and issubclass(kind, errors.SgiError)
    },
}
WITHOUT_ANSWER: dict[type[Exception], type[Exception]] = WITHOUT_VERDICT | dict.fromkeys(
    # No route reads scanner files: in a request, every one of them is the same defect.
    tiling.errors.TilingError.__subclasses__(),
    tiling.errors.TilingError,
)
"""Classes that have no row of their own on purpose, and whose they have."""


def classes() -> Iterator[type[Exception]]:
    for package in PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.endswith(("__main__", "migrations.env")):
                importlib.import_module(module.name)
    left: list[type[Exception]] = list(ROOTS)
    while left:
        kind = left.pop()
        left.extend(kind.__subclasses__())
        if kind.__module__.split(".")[0] in PACKAGES:
            yield kind


CLASSES = sorted(set(classes()), key=lambda kind: (kind.__module__, kind.__name__))


def test_the_walk_finds_them() -> None:
    assert {*ROOTS, EngineError, storage.errors.RangeError} <= set(CLASSES)
    assert len(CLASSES) > 35


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_its_row(kind: type[Exception]) -> None:
    tables: list[tuple[Any, dict[type[Exception], type[Exception]]]] = [
        (VERDICTS, WITHOUT_VERDICT),
        (ANSWERS, WITHOUT_ANSWER),
    ]
    for table, inheriting in tables:
        assert (kind in table) != (kind in inheriting)
        if kind in inheriting:
            assert inheriting[kind] in table
            assert issubclass(kind, inheriting[kind])


def test_no_row_is_for_nothing() -> None:
    ours = {kind for kind in {*VERDICTS, *ANSWERS} if kind.__module__.split(".")[0] in PACKAGES}
    assert ours <= set(CLASSES)


@pytest.mark.parametrize(
    ("kind", "decision", "reason"),
    [
        (tiling.errors.UnknownFormatError, Decision.HOLD, ReasonCode.UNKNOWN_FORMAT),
        (tiling.errors.DamagedSlideError, Decision.QUARANTINE, ReasonCode.DAMAGED),
        (tiling.errors.IncompleteSlideError, Decision.HOLD, ReasonCode.COMPANION_MISSING),
        (dicom.errors.DamagedInstanceError, Decision.RETRY, ReasonCode.NOT_VERIFIED),
        (storage.errors.StoreUnavailableError, Decision.RETRY, ReasonCode.STORE_UNAVAILABLE),
        (storage.errors.StoreFullError, Decision.RETRY, ReasonCode.STORE_FULL),
        (errors.VanishedError, Decision.END, ReasonCode.VANISHED),
        (errors.ChangedError, Decision.WATCH, ReasonCode.CHANGED),
        (errors.ConversionCrashedError, Decision.QUARANTINE, ReasonCode.READER_CRASHED),
        (ZeroDivisionError, Decision.HOLD, ReasonCode.INTERNAL),
        (OSError, Decision.HOLD, ReasonCode.INTERNAL),
    ],
)
def test_what_is_decided(kind: type[Exception], decision: Decision, reason: ReasonCode) -> None:
    verdict = verdict_on(kind("x"))
    assert (verdict.decision, verdict.reason) == (decision, reason)


def test_a_new_class_is_decided_as_its_parent_until_it_has_a_row() -> None:
    class Worse(tiling.errors.DamagedSlideError):
        pass

    assert verdict_on(Worse("x")) == VERDICTS[tiling.errors.DamagedSlideError]
    assert answer_to(Worse("x")) == ANSWERS[tiling.errors.TilingError]
    assert answer_to(ZeroDivisionError()).status == 500


@pytest.mark.parametrize("kind", VERDICTS)
def test_nothing_that_is_wrong_with_a_file_is_tried_for_ever(kind: type[Exception]) -> None:
    verdict: Verdict = VERDICTS[kind]
    if issubclass(kind, tiling.errors.TilingError):
        assert verdict.decision in {Decision.HOLD, Decision.QUARANTINE}
    if verdict.attempts is not None:
        assert verdict.decision is Decision.RETRY


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_is_a_sentence_in_both_languages(kind: type[Exception]) -> None:
    answer = ANSWERS[kind]
    assert 400 <= answer.status < 600
    english, french = (answer.detail(language) for language in (Language.ENGLISH, Language.FRENCH))
    assert english != french
    for sentence in (english, french):
        assert sentence.endswith(".")
        assert "\n" not in sentence
    for mark in ";:!?":
        assert mark not in french.replace(f"\u202f{mark}", "")


def test_pauses_grow_and_are_bounded() -> None:
    pauses = [pause_before(attempt) for attempt in range(1, 200)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=5)
    assert pauses[1] == timedelta(seconds=10)
    assert pauses[-1] == timedelta(minutes=5)
    assert pause_before(0) == pause_before(-5) == pauses[0]
    assert pause_before(10**9) == timedelta(minutes=5)
