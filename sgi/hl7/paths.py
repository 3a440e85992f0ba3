"""Where in a message a value stands, as people write it: `SPM-2.2|SPM-2.1|OBR-13`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from sgi.hl7.errors import Location, WrongTypeError
from sgi.hl7.segments import Segment


@dataclass(frozen=True, slots=True)
class Path:
    """Where a value stands: "SPM-2.2", "PID-3[2].4.2"; without a repetition, the first."""

    segment: str
    field: int
    repetition: int = 1
    component: int = 1
    subcomponent: int = 1

    def location(self, segment: Segment) -> Location:
        component = self.component if self.component > 1 else None
        return segment.at(self.field, component)

    def value_of(self, segment: Segment) -> str | None:
        """None where the segment is another or has nothing there."""
        if segment.name != self.segment:
            return None
        repetition = segment.field(self.field).repetition(self.repetition)
        return repetition.value(self.component, self.subcomponent)


_PATH = re.compile(
    r"(?P<segment>[A-Z][A-Z0-9]{2})-(?P<field>[1-9]\d{0,2})(?:\[(?P<repetition>[1-9]\d?)\])?"
    r"(?:\.(?P<component>[1-9]\d{0,2})(?:\.(?P<subcomponent>[1-9]\d{0,2}))?)?"
)


@lru_cache(maxsize=1024)
def paths(written: str) -> tuple[Path, ...]:
    """The paths of "SPM-2.2|SPM-2.1|OBR-13", in their order.

    Raises WrongTypeError: they come from interface files, which say it with the key's name.
    """
    found = []
    for alternative in written.split("|"):
        match = _PATH.fullmatch(alternative.strip())
        if match is None:
            raise WrongTypeError(
                f'"{alternative.strip()}" is no path to a field; write it as SPM-2.1 or PID-3[2].4.'
            )
        numbers = {k: int(v) for k, v in match.groupdict().items() if k != "segment" and v}
        found.append(Path(match["segment"], **numbers))
    return tuple(found)


def find(written: str, segments: Iterable[Segment]) -> str | None:
    """The first value that a path finds in these segments, its alternatives in order."""
    among = tuple(segments)
    for path in paths(written):
        for segment in among:
            value = path.value_of(segment)
            if value is not None:
                return value
    return None
