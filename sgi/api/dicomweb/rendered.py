"""WADO-RS rendered: pictures for people, of an instance as a whole or of its frames."""

from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from dicom.web.accept import Offer, choose
from dicom.web.errors import TooMuchAskedError
from dicom.web.frame_list import parse_frame_list
from dicom.web.media import JPEG, PNG
from dicom.web.multipart import Multipart
from dicom.web.picture import USUAL_QUALITY, FramePicture, draw_frame, encode_again
from dicom.web.rendering import Box, IccProfile, Rendering, parse_rendering
from sgi.api.dicomweb.addressed import pixels_at
from sgi.api.dicomweb.answers import SHOWN, accept_of, kept_of, streamed
from sgi.api.frames import ServedInstance
from sgi.api.regions import Asked
from sgi.api.services import Services, services_of
from sgi.api.slide_store import ServedSlide
from sgi.domain.slide import StoredInstance
from sgi.errors import NotFoundError, UnshowableError
from tiling.colour import Target, profile_of
from tiling.geometry import Size
from tiling.picture import Look, PictureFormat
from tiling.region import Region

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])

OFFERS = (Offer(JPEG), Offer(PNG))
_OFFERS_IN_PARTS = (Offer(JPEG, multipart=True), Offer(PNG, multipart=True))
_MOST_FRAMES = 100
_NO = IccProfile.NO
_TARGETS = {IccProfile.SRGB: Target.SRGB, IccProfile.DISPLAY_P3: Target.DISPLAY_P3}


@router.get("/studies/{study}/series/{series}/instances/{instance}/rendered")
async def rendered_instance(study: str, series: str, instance: str, request: Request) -> Response:
    """The whole image, all its light added up, as far as the viewport has room for it."""
    asked = parse_rendering(request.scope["query_string"])
    media_type = choose(accept_of(request), OFFERS).media_type
    served, stored = await pixels_at(request, study, series, instance)
    picture = await picture_of(services_of(request), served, stored, asked, media_type)
    return Response(picture, media_type=media_type, headers=kept_of(stored, SHOWN))


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered")
async def rendered_frames(
    study: str, series: str, instance: str, frames: str, request: Request
) -> Response:
    """One frame as a picture, or several as parts."""
    asked = parse_rendering(request.scope["query_string"])
    indexes = parse_frame_list(frames)
    if len(indexes) > _MOST_FRAMES:
        raise TooMuchAskedError(f"More than {_MOST_FRAMES} frames are to be rendered at once.")
    offers = OFFERS if len(indexes) == 1 else _OFFERS_IN_PARTS
    offer = choose(accept_of(request), offers)
    served, stored = await pixels_at(request, study, series, instance)
    if max(indexes) >= stored.frames:
        raise NotFoundError("The instance has no such frame.")
    ready, services = await served.instance(stored), services_of(request)
    kept = kept_of(stored, SHOWN)
    if not offer.multipart:
        picture = await frame_picture(services, served, ready, indexes[0], asked, offer.media_type)
        return Response(picture, media_type=offer.media_type, headers=kept)
    parts = Multipart(offer.media_type)
    pieces = _in_parts(services, served, ready, indexes, asked, parts)
    return await streamed(request, pieces, parts.content_type, None, kept)


async def _in_parts(
    services: Services,
    served: ServedSlide,
    ready: ServedInstance,
    indexes: Sequence[int],
    asked: Rendering,
    parts: Multipart,
) -> AsyncIterator[bytes]:
    for index in indexes:
        picture = await frame_picture(services, served, ready, index, asked, parts.media_type)
        yield parts.head(parts.media_type, len(picture)) + picture
    yield parts.end()


async def picture_of(
    services: Services,
    served: ServedSlide,
    stored: StoredInstance,
    asked: Rendering,
    media_type: str,
) -> bytes:
    """An instance as one picture.

    Raises PictureTooLargeError where a smaller viewport is to be asked for, BadQueryError,
    UnshowableError, and as `Frames.get`.
    """
    if stored.level is None:
        ready = await served.instance(stored)
        return await frame_picture(services, served, ready, 0, asked, media_type)
    box = asked.box(Size(stored.columns, stored.rows))
    region = _of_base(served, stored, box)
    size = asked.size(box)
    size = Size(min(size.columns, region.columns), min(size.rows, region.rows))
    target = _TARGETS.get(asked.icc_profile)
    own = await services.profiles.of(served.slide) if asked.icc_profile is not _NO else None
    plain = asked.quality in (None, USUAL_QUALITY) and asked.icc_profile is _NO
    pictured = PictureFormat.JPEG if plain and media_type == JPEG else PictureFormat.PNG
    look = Look(target=None if own is None else target, format=pictured)
    picture = await services.regions.picture(served, Asked(region, size, look, window=asked.window))
    if plain:
        return picture
    meant = profile_of(target or Target.SRGB) if target or own is None else own
    return await services.decoders.run(
        encode_again,
        picture,
        media_type,
        asked.quality or USUAL_QUALITY,
        None if asked.icc_profile is _NO else meant,
        target if own is None else None,
        slide=served.slide.id,
    )


async def frame_picture(
    services: Services,
    served: ServedSlide,
    ready: ServedInstance,
    index: int,
    asked: Rendering,
    media_type: str,
) -> bytes:
    """One frame as a picture: the stored one, untouched, where that is all that was asked for."""
    if ready.encoding is None:
        raise UnshowableError("The slide's compression is not known here.")
    frame = await served.frame(ready, index)
    if ready.is_shown_as_it_is and media_type == JPEG and asked == Rendering():
        return frame
    tile = ready.order.grid.tile
    box = asked.box(tile)
    told = asked.icc_profile is not _NO
    own = await services.profiles.of(served.slide) if told else None
    window = asked.window or ready.windows[ready.order.position(index).path]
    picture = FramePicture(
        box=box,
        size=asked.size(box),
        media_type=media_type,
        quality=asked.quality or USUAL_QUALITY,
        window=window,
        profile=own,
        target=_TARGETS.get(asked.icc_profile),
        with_profile=told,
    )
    return await services.decoders.run(
        draw_frame,
        frame,
        ready.encoding,
        tile,
        ready.pixel_format,
        picture,
        slide=ready.slide_id,
    )


def _of_base(served: ServedSlide, stored: StoredInstance, box: Box) -> Region:
    """A part of a level in pixels of the base."""
    base = served.slide.levels[0]
    across, down = base.columns / stored.columns, base.rows / stored.rows
    left, top = int(box.left * across), int(box.top * down)
    columns = min(max(1, round(box.columns * across)), base.columns - left)
    rows = min(max(1, round(box.rows * down)), base.rows - top)
    return Region(left, top, columns, rows)
