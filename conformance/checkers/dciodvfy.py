"""David Clunie's dciodvfy: every attribute against the standard."""

import shutil
import subprocess

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
        said = subprocess.run(
            [program, path], capture_output=True, text=True, check=False, timeout=_LONGEST_S
        )
        wrong = [line for line in said.stderr.splitlines() if line.startswith("Error")]
        if wrong:
            raise ObjectionError(f"{path.stem}: {wrong[0]}")


def limit_of(slide: ConvertedSlide) -> str | None:  # noqa: ARG001 - as every checker
    """It knows all that we write."""
    return None
