"""A whole field of view in one answer: on a long line, forty questions cost more than their tiles.

`/tiles/{slide}/{level}?columns=a-b&rows=c-d` gives the tiles from column a to b of the rows c to d,
both included, row by row, as `multipart/related`. A piece is what the tile's own address would
give: a JPEG, or a problem document for one that cannot be shown; the others come all the same.
"""

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

from starlette.types import Send

from dicom.web.multipart import Multipart
from sgi.api.errors import problem
from sgi.api.frames import ServedInstance
from sgi.api.in_order import in_order
from sgi.api.layer import Layer, layer_of, number_of
from sgi.api.rendered import Rendered
from sgi.api.slide_store import ServedSlide
from sgi.domain.words import Language
from sgi.errors import InvalidRequestError, NotFoundError

MOST_TILES = 256
"""In one answer: a screen of 4K has 135 of 256 pixels, and as many again around it."""
_SENT_AT_ONCE = 128 << 10
"""Pieces that are there already go together, so that each is not a packet of its own."""


@dataclass(frozen=True, slots=True)
class Field:
    """A rectangle of one level's tiles."""

    rendered: Rendered
    served: ServedSlide
    instance: ServedInstance
    level: int
    columns: range
    rows: range
    layer: Layer

    @classmethod
    def parse(
        cls,
        rendered: Rendered,
        served: ServedSlide,
        level: int,
        instance: ServedInstance,
        said: dict[str, str],
    ) -> "Field":
        """Of a query's names and values.

        Raises NotFoundError for tiles that the level does not have, InvalidRequestError for more
        than `MOST_TILES`.
        """
        columns, rows = _span(said, "columns"), _span(said, "rows")
        if len(columns) * len(rows) > MOST_TILES:
            raise InvalidRequestError(f"A field has at most {MOST_TILES} tiles; ask for parts.")
        field = cls(rendered, served, instance, level, columns, rows, layer_of(said))
        try:
            field.frame_index(columns[-1], rows[-1])
        except IndexError as error:
            raise NotFoundError("The level has no such tiles.") from error
        return field

    def positions(self) -> Iterator[tuple[int, int]]:
        """Column and row of each tile, row by row."""
        return ((column, row) for row in self.rows for column in self.columns)

    def frame_index(self, column: int, row: int) -> int:
        """Raises IndexError where the level has no tile."""
        return self.instance.order.frame_index(column, row, self.layer.path, self.layer.plane)

    async def tile(self, position: tuple[int, int]) -> bytes:
        """One tile; raises as `Rendered.tile`."""
        frame_index = self.frame_index(*position)
        return await self.rendered.tile(self.served, self.instance, frame_index, self.layer)


async def send_field(field: Field, send: Send, *, language: Language, head_alone: bool) -> None:
    """Answer with every tile, in order, each as soon as it and those before it are there."""
    answer = Multipart("image/jpeg")
    headers = [
        (b"content-type", answer.content_type.encode()),
        # A piece may be a problem that is gone at the next look.
        (b"cache-control", b"private, no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if head_alone:
        await send({"type": "http.response.body", "body": b""})
        return
    waiting: list[bytes] = []
    positions, enough = field.positions(), 0
    async with aclosing(in_order(field.positions(), field.tile)) as tiles:
        async for tile in tiles:
            column, row = next(positions)
            place = f"/tiles/{field.served.slide.id}/{field.level}/{column}/{row}"
            waiting.append(_piece(answer, place, tile, language))
            if sum(map(len, waiting)) > enough:  # the first at once
                await send(_more(waiting))
                waiting, enough = [], _SENT_AT_ONCE
    await send({**_more([*waiting, answer.end()]), "more_body": False})


def _piece(answer: Multipart, place: str, tile: bytes | Exception, language: Language) -> bytes:
    media_type, body = "image/jpeg", tile
    if isinstance(body, Exception):
        media_type, body = "application/problem+json", bytes(problem(body, language).body)
    return answer.head(media_type, len(body), place) + body


def _more(pieces: list[bytes]) -> dict[str, object]:
    return {"type": "http.response.body", "body": b"".join(pieces), "more_body": True}


def _span(said: dict[str, str], name: str) -> range:
    """`a-b`, both included."""
    first, dash, last = said.get(name, "").partition("-")
    if not dash:
        raise NotFoundError(f"A field is named by columns=a-b and rows=c-d; {name} is missing.")
    span = range(number_of(first), number_of(last) + 1)
    if not span:
        raise NotFoundError("A field goes from a lower to a higher number.")
    return span
