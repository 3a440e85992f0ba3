"""The composition root: settings to stores and catalogue, and those to the web application."""

import asyncio
import contextlib
import gc
import multiprocessing
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from sgi.access.guests import Guests
from sgi.access.sessions import Sessions
from sgi.api import (
    arrivals,
    assignments,
    attachments,
    capacity,
    case_work,
    cases,
    destructions,
    dzi,
    errors,
    events,
    holds,
    icc,
    identification,
    iiif,
    images,
    integrity,
    interfaces,
    launch,
    messages,
    metrics,
    pages,
    patients,
    quality,
    reports,
    restores,
    retention,
    sgl_links,
    sign_in,
    slides,
    tiers,
    tiles,
    worklists,
    zarr,
)
from sgi.api.ahead import Ahead
from sgi.api.cross_origin import CrossOrigin
from sgi.api.decoders import Decoders
from sgi.api.dicomweb import bulkdata, instances, metadata, search, thumbnails
from sgi.api.dicomweb import frames as dicomweb_frames
from sgi.api.dicomweb import rendered as dicomweb_rendered
from sgi.api.dicomweb.doors import open_dicomweb
from sgi.api.feed import Feed
from sgi.api.frames import Damaged, Frames, log_damage
from sgi.api.grants import Grants
from sgi.api.guard import Guard
from sgi.api.profiles import Profiles
from sgi.api.ready import ReadyTiles
from sgi.api.regions import Regions
from sgi.api.rendered import Rendered
from sgi.api.services import Services
from sgi.api.slide_store import SlideStore
from sgi.api.tiles import Tiles
from sgi.api.zarr import Zarr
from sgi.catalogue.database import Database
from sgi.errors import ConfigurationError
from sgi.integrity.alarms import Alarms
from sgi.keeping.headers import Headers
from sgi.keeping.records import Records
from sgi.lifeline import end_with_parent
from sgi.settings import Settings
from sgi.stores import open_stores
from storage.cache import DiskCache
from storage.store import ObjectStore

ROUTERS = (
    sign_in.router,
    arrivals.router,
    slides.router,
    tiers.router,
    restores.router,
    events.router,
    quality.router,
    capacity.router,
    retention.router,
    holds.router,
    identification.router,
    attachments.router,
    integrity.router,
    interfaces.router,
    messages.router,
    metrics.router,
    destructions.router,
    cases.router,
    case_work.router,
    reports.router,
    worklists.router,
    assignments.router,
    icc.router,
    iiif.router,
    dzi.router,
    images.router,
    launch.router,
    sgl_links.router,
    pages.router,
    patients.router,
    search.router,
    metadata.router,
    dicomweb_frames.router,
    bulkdata.router,
    instances.router,
    dicomweb_rendered.router,
    thumbnails.router,
)


def database_url(settings: Settings) -> str:
    """The catalogue's address; raises ConfigurationError when there is none."""
    if settings.database.url is None:
        raise ConfigurationError(
            "No database is set: start `sgi up`, or set SGI_DATABASE__URL to a PostgreSQL."
        )
    return settings.database.url.get_secret_value()


def open_store(settings: Settings) -> ObjectStore:
    """The warm object store; raises ConfigurationError when none is set."""
    return open_stores(settings).warm


class Application:
    """Tiles and chunks past everything else, the rest through the guard to FastAPI."""

    def __init__(
        self,
        tiles: Tiles,
        zarr: Zarr,
        guarded: ASGIApp,
        ready: ReadyTiles,
        for_other_viewers: ASGIApp,
    ) -> None:
        self._tiles = tiles
        self._zarr = zarr
        self._guarded = guarded
        self._for_other_viewers = for_other_viewers
        self.ready = ready
        """For a server that has a short way (`sgi.api.lane`)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(tiles.PREFIX):
            await self._tiles(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(zarr.PREFIX):
            await self._zarr(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith((iiif.PREFIX, dzi.PREFIX)):
            await self._for_other_viewers(scope, receive, send)
        else:
            await self._guarded(scope, receive, send)


def make_api(services: Services) -> FastAPI:
    """Every route, none of them guarded: `make_application` does that."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with services.database:
            listening = asyncio.create_task(services.feed.run())
            try:
                yield
            finally:
                listening.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listening
                services.decoders.close()
                services.regions.close()

    api = FastAPI(title="SGI", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    api.state.services = services
    for router in ROUTERS:
        api.include_router(router)
    errors.install(api)
    return api


def make_frames(settings: Settings, store: ObjectStore, on_damage: Damaged = log_damage) -> Frames:
    """Frames of the store, with a cache on the local disk where the settings have one."""
    if settings.storage.cache_mb == 0:
        return Frames(store, on_damage=on_damage)
    cache = DiskCache(store, settings.cache, settings.storage.cache_mb << 20)
    return Frames(store, cache=cache, on_damage=on_damage)


def make_application(settings: Settings) -> ASGIApp:
    """The whole web application of one process."""
    database = Database(database_url(settings))
    sessions = Sessions(database)
    stores = open_stores(settings)
    alarms = Alarms(database)
    frames = make_frames(settings, stores.warm, alarms.on_damage)
    slide_store = SlideStore(database, stores.warm, frames)
    grants = Grants(slide_store, database, sessions)
    feed = Feed(database, sessions)
    ready = ReadyTiles(sessions)
    feed.when_slide_gone(slide_store.forget)
    feed.when_slide_destroyed(frames.forget)
    feed.when_slide_gone(ready.forget_slide)
    decoders = Decoders()
    records = Records(database, Headers(stores), alarms.on_damage)
    dicomweb = open_dicomweb(database, stores.warm, records, grants, decoders)
    profiles = Profiles(records)
    services = Services(
        settings,
        database,
        sessions,
        feed,
        slide_store,
        grants,
        decoders,
        stores,
        dicomweb,
        profiles,
        Regions(profiles),
        alarms,
    )
    guard = Guard(
        make_api(services),
        sessions,
        Guests(database),
        secure=settings.secure,
        behind_proxy=settings.behind_tls_proxy,
    )
    return Application(
        Tiles(guard, grants, Rendered(decoders, profiles), ready, Ahead(frames)),
        Zarr(guard, grants, decoders),
        guard,
        ready,
        CrossOrigin(guard, settings.viewer_origins),
    )


def application() -> ASGIApp:
    """What the web server starts in each of its processes."""
    if multiprocessing.parent_process() is not None:
        end_with_parent()
    made = make_application(Settings())
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be looked through again and again
    return made
