"""What a checker is known not to do, and which of its objections that excuses."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from conformance.converted import ConvertedSlide
from conformance.looks import Objection, Step


@dataclass(frozen=True, slots=True)
class Limit:
    """Excuses the one objection that it is known by, at its own step; nothing else."""

    words: str
    step: Step
    error: type[Exception]
    text: str
    """Regular expression for what the objection says."""
    levels: Collection[int] | None = None
    """The levels that it touches, where it does not touch the slide as a whole."""

    def excuses(self, objection: Objection) -> bool:
        return (
            objection.step is self.step
            and (self.levels is None or objection.level in self.levels)
            and isinstance(objection.error, self.error)
            and re.search(self.text, str(objection.error)) is not None
        )


def no_htj2k(slide: ConvertedSlide) -> list[Limit]:
    """Of pydicom, and of highdicom, for which it decodes."""
    return [
        Limit(
            "no decoder for HTJ2K among pip's plugins here",
            Step.PIXELS,
            RuntimeError,
            "High-Throughput JPEG 2000.* all plugins are missing dependencies",
            slide.htj2k_levels,
        )
    ]
