"""Which files of a drop cannot be taken just now: how long each holds up others, what is told."""

from collections.abc import Set as AbstractSet
from datetime import date
from pathlib import Path

_TRIES_ALONE = 6
"""How often a file that has to be tried again holds up what comes after it. Then what is wrong may
be with it: it is tried still, but the others are too. While the database is away each of them holds
up the next as long, so that their order stays."""
_MOST_TOLD = 20
"""A day: whoever looks into the folder sees the others."""


class Stuck:
    """Counts the tries of each file, and remembers of which people were told."""

    def __init__(self) -> None:
        self._tries: dict[Path, int] = {}
        self._told: dict[Path, date] = {}

    def keep(self, present: AbstractSet[Path]) -> None:
        """Of what is not there any more, nothing is remembered."""
        self._tries = {path: tries for path, tries in self._tries.items() if path in present}
        self._told = {path: at for path, at in self._told.items() if path in present}

    def tried(self, path: Path) -> int:
        """Once more, in vain; how often by now."""
        self._tries[path] = self._tries.get(path, 0) + 1
        return self._tries[path]

    def forget(self, path: Path) -> None:
        """It was taken, or is another by now."""
        self._tries.pop(path, None)

    def is_alone(self, path: Path) -> bool:
        """It was tried so often that it holds up no other any more."""
        return self._tries.get(path, 0) >= _TRIES_ALONE

    def is_to_be_told(self, path: Path, today: date) -> bool:
        """Somebody has to look: once a day, as long as it cannot be taken."""
        told = sum(at == today for at in self._told.values())
        return self.is_alone(path) and self._told.get(path) != today and told < _MOST_TOLD

    def was_told(self, path: Path, today: date) -> None:
        self._told[path] = today
