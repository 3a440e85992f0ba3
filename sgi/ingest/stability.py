"""When a file is whole: pure, without a clock, a watcher or a database.

Size and time must have been quiet for a while. Some programs reserve the whole file first and
fill it later; a file that begins or ends with nothing but zeros therefore has to be quiet for
longer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sgi.domain.arrival import Fingerprint

HOLLOW_FACTOR = 12
"""How many times longer a file with an empty beginning or end must be quiet."""


@dataclass(slots=True)
class Stability:
    """Remembers since when each path has not changed; times are seconds of any steady clock."""

    quiet_s: float
    _since: dict[Path, tuple[Fingerprint, float]] = field(default_factory=dict)

    def quiet_for(self, path: Path, fingerprint: Fingerprint, now: float) -> float:
        """Seconds without a change, as seen by this object; 0 at first sight."""
        known = self._since.get(path)
        if known is None or known[0] != fingerprint:
            self._since[path] = (fingerprint, now)
            return 0.0
        return now - known[1]

    def is_whole(self, quiet_for: float, *, hollow: bool) -> bool:
        """Whether so much quiet is enough."""
        return quiet_for >= self.quiet_s * (HOLLOW_FACTOR if hollow else 1)

    def keep_only(self, paths: Iterable[Path]) -> None:
        """Forget every other path: it is gone."""
        wanted = set(paths)
        self._since = {path: seen for path, seen in self._since.items() if path in wanted}


def is_hollow(head: bytes, tail: bytes) -> bool:
    """True when the first or the last bytes of a file are all zero."""
    return bool(head) and (not any(head) or not any(tail))
