"""What a checker looks at, one thing at a time, and what it objects to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from conformance.converted import ConvertedSlide
from conformance.verdict import CheckerAbsentError


class Step(StrEnum):
    """How far into a slide a look goes."""

    OPEN = "open"
    """The slide as a whole: taken, and recognised."""
    ATTRIBUTES = "attributes"
    LEVELS = "levels"
    """That a level is there, at its size."""
    PIXELS = "pixels"


@dataclass(frozen=True, slots=True)
class Look:
    """A thing that a checker does with a slide; `do` raises whatever it objects with."""

    step: Step
    do: Callable[[], None]
    level: int | None = None
    """The only level that it looks at, if it is one alone."""


@dataclass(frozen=True, slots=True)
class Objection:
    """What a look raised."""

    step: Step
    level: int | None
    error: Exception


Looks = Callable[[ConvertedSlide], Iterator[Look]]
"""What every checker has: a generator of looks, which opens the slide to make them.

It leaves out what cannot be looked at once an earlier look has failed; what it raises itself is an
objection to the slide as a whole.
"""


def objections(looks: Looks, slide: ConvertedSlide) -> list[Objection]:
    """Everything that a checker objects to; raises CheckerAbsentError where it is not here."""
    found: list[Objection] = []
    try:
        for look in looks(slide):
            try:
                look.do()
            except Exception as error:  # noqa: BLE001 - whatever a checker throws is its objection
                found.append(Objection(look.step, look.level, error))
    except CheckerAbsentError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        found.append(Objection(Step.OPEN, None, error))
    return found
