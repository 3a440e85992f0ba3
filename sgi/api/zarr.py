"""`/zarr/{slide}.zarr/…`: a slide as OME-Zarr 0.5 whose chunks are the stored frames, unpacked.

Nothing is stored for it: documents are made from the catalogue, and a chunk is a frame. A bare
ASGI application, since a library asks for thousands of chunks.
"""

import hashlib
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from sgi.api.decoders import Decoders
from sgi.api.errors import problem
from sgi.api.frames import ServedInstance
from sgi.api.grants import Grants, slide_id_of
from sgi.api.guard import Guard
from sgi.api.language import language_of
from sgi.api.once import MadeOnce
from sgi.api.slide_store import ServedSlide
from sgi.catalogue.audit import Action
from sgi.domain.slide import Slide
from sgi.errors import NotFoundError, NotSignedInError, UnshowableError
from tiling.composite import Window
from tiling.geometry import Size
from tiling.omezarr.chunks import chunk_bytes, unpack_chunk
from tiling.omezarr.documents import array_document, group_document, to_json
from tiling.omezarr.keys import ChunkPlace, DocumentPlace, parse_key
from tiling.omezarr.multiscale import Multiscale
from tiling.slide import Illumination, Level, OpticalPath, PixelFormat

PREFIX = "/zarr/"
_SUFFIX = ".zarr"
_UNCHANGING = b"private, max-age=31536000, immutable"
_ASK_AGAIN = b"private, no-cache"
_KEPT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class _Found:
    etag: str
    media_type: bytes
    cache: bytes
    length: int
    data: bytes
    """Empty for a chunk that the client has already, or of which it asked for the head alone."""


class Zarr:
    """Documents and chunks by key; `guard` admits, `grants` gives the slide."""

    def __init__(self, guard: Guard, grants: Grants, decoders: Decoders) -> None:
        self._guard = guard
        self._grants = grants
        self._decoders = decoders
        self._chunks: MadeOnce[tuple[str, int]] = MadeOnce(_KEPT_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            found = await self._find(scope, headers)
        except Exception as error:  # noqa: BLE001 - every failure becomes an answer
            await problem(error, language_of(headers.get("accept-language")))(scope, receive, send)
            return
        known = found.etag in headers.get("if-none-match", "")
        answer = [
            (b"etag", found.etag.encode()),
            (b"cache-control", found.cache),
            (b"vary", b"cookie"),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        if not known:
            answer += [
                (b"content-type", found.media_type),
                (b"content-length", str(found.length).encode()),
            ]
        status = 304 if known else 200
        await send({"type": "http.response.start", "status": status, "headers": answer})
        body = b"" if known or scope["method"] == "HEAD" else found.data
        await send({"type": "http.response.body", "body": body})

    async def _find(self, scope: Scope, headers: Headers) -> _Found:
        session = await self._guard.admit(scope["method"], scope["path"], headers)
        if session is None:
            raise NotSignedInError("Sign in first.")
        name, _, key = scope["path"][len(PREFIX) :].partition("/")
        if not name.endswith(_SUFFIX):
            raise NotFoundError("The name of a slide ends in .zarr here.")
        slide_id = slide_id_of(name.removesuffix(_SUFFIX))
        served = await self._grants.slide(session, slide_id)
        address = self._guard.address(scope, headers)
        await self._grants.record(session, address, slide_id, Action.VIEW_SLIDE)
        image = multiscale_of(served.slide)
        try:
            place = parse_key(image, key)
        except KeyError as error:
            raise NotFoundError("The slide has no such array or chunk.") from error
        if isinstance(place, DocumentPlace):
            return _document(image, place)
        known = headers.get("if-none-match", "")
        return await self._chunk(served, place, known, head_alone=scope["method"] == "HEAD")

    async def _chunk(
        self, served: ServedSlide, place: ChunkPlace, known: str, *, head_alone: bool
    ) -> _Found:
        instance = await served.level(place.level)
        frame = instance.order.frame_index(place.column, place.row, place.path, place.plane)
        etag = f'"{instance.etag_stem}-{frame}-chunk"'
        data = b""
        if not head_alone and etag not in known:
            data = await self._chunks.get(
                (instance.key, frame), lambda: self._unpack(served, instance, frame)
            )
        length = chunk_bytes(instance.order.grid.tile, instance.pixel_format)
        return _Found(etag, b"application/octet-stream", _UNCHANGING, length, data)

    async def _unpack(
        self, served: ServedSlide, instance: ServedInstance, frame_index: int
    ) -> bytes:
        if instance.encoding is None:
            raise UnshowableError("The slide's compression is not known here.")
        return await self._decoders.run(
            unpack_chunk,
            await served.frame(instance, frame_index),
            instance.encoding,
            instance.order.grid.tile,
            instance.pixel_format,
            slide=instance.slide_id,
            program=True,
        )


def _document(image: Multiscale, place: DocumentPlace) -> _Found:
    level = place.level
    data = to_json(group_document(image) if level is None else array_document(image, level))
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    return _Found(etag, b"application/json", _ASK_AGAIN, len(data), data)


def multiscale_of(slide: Slide) -> Multiscale:
    """A published slide as OME-Zarr has it, under its id: a file's name may tell of a patient."""
    facts = slide.facts
    return Multiscale(
        name=str(slide.id),
        levels=[
            Level(
                Size(stored.columns, stored.rows),
                Size(stored.tile_columns, stored.tile_rows),
                stored.downsample,
            )
            for stored in slide.levels
        ],
        pixel_format=PixelFormat(facts.samples, facts.bits),
        optical_paths=[
            OpticalPath(path.name, Illumination(path.illumination), path.colour)
            for path in facts.optical_paths
        ],
        focal_planes_um=facts.focal_planes_um,
        pixel_spacing_mm=facts.pixel_spacing_mm,
        windows=[
            None if path.window is None else Window(*path.window) for path in facts.optical_paths
        ],
        not_kept=facts.not_kept,
    )
