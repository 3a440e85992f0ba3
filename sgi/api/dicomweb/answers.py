"""Answers in DICOM JSON and in parts, with the headers that all of them have."""

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dicom.web.accept import Offer, choose, joined
from dicom.web.media import JSON
from sgi.domain.slide import StoredInstance

_JSON_OFFERS = (Offer(JSON), Offer("application/json"))
KEPT = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Cookie, Accept"}
"""Of what can never change: frames by their instance."""
SHOWN = {"Cache-Control": "private, max-age=86400", "Vary": "Cookie, Accept"}
"""Of pictures, which another version may draw a little differently."""
ASKED_AGAIN = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Accept"}


def kept_of(stored: StoredInstance, usual: dict[str, str]) -> dict[str, str]:
    """The headers of a picture of an instance: `usual`, but for one that may show names, which is
    asked for each time, since it may have to be withheld.
    """
    return ASKED_AGAIN if stored.may_show_names else usual


def accept_of(request: Request) -> str | None:
    """What the client takes."""
    return joined(request.headers.getlist("accept"), request.query_params.get("accept"))


def require_json(request: Request) -> None:
    """Raises NotAcceptableError for a client that takes no JSON: there is no XML here."""
    choose(accept_of(request), _JSON_OFFERS)


def json_answer(
    request: Request, documents: Iterable[dict[str, Any]], warnings: Iterable[str] = ()
) -> Response:
    """Datasets as one array; `warnings` are told as PS3.18 8.3.4 has it."""
    offer = choose(accept_of(request), _JSON_OFFERS)
    body = json.dumps(list(documents), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    headers = dict(ASKED_AGAIN)
    told = [f'299 {request.url.hostname or "sgi"} "{warning}"' for warning in warnings]
    if told:
        headers["Warning"] = ", ".join(told)
    return Response(body.encode("utf-8", "replace"), media_type=offer.media_type, headers=headers)


async def streamed(
    request: Request,
    pieces: AsyncIterator[bytes],
    content_type: str,
    length: int | None,
    headers: dict[str, str],
) -> Response:
    """Pieces as they come; what goes wrong before the first is still told as a problem.

    Later the connection breaks off before `length` bytes: an answer cut short is never whole.
    """
    headers = {**headers, "Content-Type": content_type}
    if length is not None:
        headers["Content-Length"] = str(length)
    if request.scope["state"]["head"]:
        return Response(headers=headers)
    first = await anext(pieces, b"")

    async def all_pieces() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return StreamingResponse(all_pieces(), headers=headers)
