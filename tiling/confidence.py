"""How sure a reader is that a file is of its format."""

from enum import IntEnum


class Confidence(IntEnum):
    """The scale on which every format answers `sniff`; the highest answer opens the slide."""

    NONE = 0
    """Not mine, or I cannot tell."""
    GENERIC = 1
    """I can show it, but do not know it from the inside: a reader for its format is better."""
    STRUCTURE = 2
    """Nobody's mark is in the content, and I read the structure that it has instead."""
    VENDOR = 3
    """The vendor's own mark is in the content, and I read all of what I saw."""
