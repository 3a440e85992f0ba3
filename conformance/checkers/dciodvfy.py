"""David Clunie's dciodvfy: every attribute against the standard."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from conformance.converted import ConvertedSlide
from conformance.limits import Limit
from conformance.looks import Look, Step
from conformance.verdict import CheckerAbsentError, ObjectionError

NAME = "dciodvfy"
_LONGEST_S = 120


def looks(slide: ConvertedSlide) -> Iterator[Look]:
    """No error in any instance."""
    program = shutil.which("dciodvfy")
    if program is None:
        raise CheckerAbsentError
    for number, path in enumerate(slide.instances):
        yield Look(Step.ATTRIBUTES, partial(_look_at, program, path), number)


def limits_of(slide: ConvertedSlide) -> Iterator[Limit]:
    """Transfer syntaxes that are younger than it, and flaws that a DICOM source brought along."""
    yield Limit(
        "it does not know HTJ2K",
        Step.ATTRIBUTES,
        ObjectionError,
        "illegal in non-encapsulated transfer syntax",
        slide.htj2k_levels,
    )
    program = shutil.which("dciodvfy")
    if program is None or slide.source is None:
        return
    brought = set(_errors(program, slide.source))
    ours = {error for path in slide.instances for error in _errors(program, path)}
    if ours <= brought:
        words = "objects to what the source says, and nothing else"
        yield Limit(words, Step.ATTRIBUTES, ObjectionError, "Error")


def _look_at(program: str, path: Path) -> None:
    wrong = _errors(program, path)
    if wrong:
        raise ObjectionError(f"{path.stem}: {wrong[0]}")


def _errors(program: str, path: Path) -> list[str]:
    said = subprocess.run(
        [program, path], capture_output=True, text=True, check=False, timeout=_LONGEST_S
    )
    return [line for line in said.stderr.splitlines() if line.startswith("Error")]
