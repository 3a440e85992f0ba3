"""The composition root: settings to stores and catalogue, and those to the web application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from sgi.access.sessions import Sessions
from sgi.api import arrivals, errors, events, images, pages, quality, sign_in, slides, tiles, zarr
from sgi.api.decoders import Decoders
from sgi.api.feed import Feed
from sgi.api.grants import Grants
from sgi.api.guard import Guard
from sgi.api.rendered import Rendered
from sgi.api.services import Services
from sgi.api.slide_store import SlideStore
from sgi.api.tiles import Tiles
from sgi.api.zarr import Zarr
from sgi.catalogue.database import Database
from sgi.errors import ConfigurationError
from sgi.lifeline import end_with_parent
from sgi.settings import Settings
from storage.s3 import S3ObjectStore, S3Options
from storage.store import ObjectStore

ROUTERS = (
    sign_in.router,
    arrivals.router,
    slides.router,
    events.router,
    quality.router,
    images.router,
    pages.router,
)


def database_url(settings: Settings) -> str:
    """The catalogue's address; raises ConfigurationError when there is none."""
    if settings.database.url is None:
        raise ConfigurationError(
            "No database is set: start `sgi up`, or set SGI_DATABASE__URL to a PostgreSQL."
        )
    return settings.database.url.get_secret_value()


def open_store(settings: Settings) -> ObjectStore:
    """The object store; raises ConfigurationError when none is set."""
    chosen = settings.storage
    if chosen.endpoint is None:
        raise ConfigurationError(
            "No object store is set: start `sgi up`, or set SGI_STORAGE__ENDPOINT to an S3 store."
        )
    return S3ObjectStore(
        S3Options(
            bucket=chosen.bucket,
            endpoint=chosen.endpoint,
            region=chosen.region,
            access_key_id=chosen.access_key_id or None,
            secret_access_key=chosen.secret_access_key.get_secret_value() or None,
        )
    )


class Application:
    """Tiles and chunks past everything else, the rest through the guard to FastAPI."""

    def __init__(self, tiles: Tiles, zarr: Zarr, guarded: ASGIApp) -> None:
        self._tiles = tiles
        self._zarr = zarr
        self._guarded = guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(tiles.PREFIX):
            await self._tiles(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(zarr.PREFIX):
            await self._zarr(scope, receive, send)
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

    api = FastAPI(title="SGI", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    api.state.services = services
    for router in ROUTERS:
        api.include_router(router)
    errors.install(api)
    return api


def make_application(settings: Settings) -> ASGIApp:
    """The whole web application of one process."""
    database = Database(database_url(settings))
    sessions = Sessions(database)
    slide_store = SlideStore(database, open_store(settings))
    grants = Grants(slide_store, database, sessions)
    feed = Feed(database, sessions)
    decoders = Decoders()
    services = Services(settings, database, sessions, feed, slide_store, grants, decoders)
    guard = Guard(
        make_api(services),
        sessions,
        secure=settings.secure,
        behind_proxy=settings.behind_tls_proxy,
    )
    return Application(
        Tiles(guard, grants, Rendered(decoders)), Zarr(guard, grants, decoders), guard
    )


def application() -> ASGIApp:
    """What the web server starts in each of its processes."""
    end_with_parent()
    return make_application(Settings())
