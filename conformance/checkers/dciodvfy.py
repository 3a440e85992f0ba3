"""David Clunie's dciodvfy: every attribute against the standard."""

import shutil
import subprocess
from pathlib import Path

from conformance.converted import ConvertedSlide
from conformance.verdict import CheckerAbsentError, ObjectionError

NAME = "dciodvfy"
_LONGEST_S = 120


def check(slide: ConvertedSlide) -> None:
    """No error in any instance."""
    program = shutil.which("dciodvfy")
    if program is None:
        raise CheckerAbsentError
    for path in slide.instances:
        wrong = _errors(program, path)
        if wrong:
            raise ObjectionError(f"{path.stem}: {wrong[0]}")


def limit_of(slide: ConvertedSlide) -> str | None:
    """Transfer syntaxes that are younger than it, and flaws that a DICOM source brought along."""
    if slide.has_htj2k:
        return "it does not know HTJ2K"
    program = shutil.which("dciodvfy")
    if program is None or slide.source is None:
        return None
    brought = set(_errors(program, slide.source))
    ours = {error for path in slide.instances for error in _errors(program, path)}
    return "objects to what the source says, and nothing else" if ours <= brought else None


def _errors(program: str, path: Path) -> list[str]:
    said = subprocess.run(
        [program, path], capture_output=True, text=True, check=False, timeout=_LONGEST_S
    )
    return [line for line in said.stderr.splitlines() if line.startswith("Error")]
