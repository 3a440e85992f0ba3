"""What the query of a tile's address says: which light of which height, and how it is shown."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from sgi.errors import NotFoundError
from tiling.colour import Target
from tiling.composite import Window

_LONGEST_QUERY = 200
_LONGEST_NUMBER = 9


@dataclass(frozen=True, slots=True)
class Layer:
    """An optical path and a focal plane by their index; a window replaces the path's own, and
    colours are converted to a target's.
    """

    path: int = 0
    plane: int = 0
    window: Window | None = None
    target: Target | None = None

    def __str__(self) -> str:
        """What it adds to the name of a frame; nothing where the frame is shown as usual."""
        return "".join(f"-{said}" for said in (self.window, self.target) if said is not None)


FIRST = Layer()


def parse_query(query: bytes) -> dict[str, str]:
    """The names and values of a query string; raises NotFoundError for one that is too long."""
    if len(query) > _LONGEST_QUERY:
        raise NotFoundError("The query is longer than any that names a tile.")
    return dict(parse_qsl(query.decode("latin-1")))


def layer_of(said: dict[str, str]) -> Layer:
    """Names that are not known are left alone, as everywhere on the web."""
    if not said:
        return FIRST
    window = None
    if "window" in said:
        darkest, _, brightest = said["window"].partition("-")
        try:
            window = Window(number_of(darkest), number_of(brightest))
        except ValueError as error:
            raise NotFoundError("A window goes from a lower to a higher sample.") from error
    path, plane = number_of(said.get("path", "0")), number_of(said.get("plane", "0"))
    return Layer(path, plane, window, _target(said.get("icc")))


def _target(word: str | None) -> Target | None:
    try:
        return None if word is None else Target(word)
    except ValueError as error:
        raise NotFoundError("Colours are converted to srgb or display-p3.") from error


def number_of(text: str) -> int:
    """A number as addresses have it; raises NotFoundError for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise NotFoundError("A tile is named by numbers.")
    return int(text)
