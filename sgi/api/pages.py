"""The web application's files, and the answers for load balancers."""

import mimetypes

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, JSONResponse, Response

import viewer
from sgi.api.services import services_of
from sgi.catalogue import accounts
from sgi.errors import NotFoundError

router = APIRouter(include_in_schema=False)


def _file(name: str, cache: str) -> Response:
    """A file of the build by its bare name; nothing outside the build can be named."""
    path = next((p for p in (viewer.dist_path()).rglob("*") if p.name == name), None)
    if path is None or not path.is_file():
        raise NotFoundError("There is no such file.")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return FileResponse(path, media_type=kind, headers={"Cache-Control": cache})


@router.get("/")
@router.get("/view/{slide}")
async def page(slide: str = "") -> Response:  # noqa: ARG001 - the page itself reads its address
    """The application; it asks for everything else itself."""
    return _file("index.html", "no-cache")


@router.get("/favicon.svg")
async def favicon() -> Response:
    return _file("favicon.svg", "public, max-age=86400")


@router.get("/assets/{file}")
async def asset(file: str) -> Response:
    """A built file; its name holds its hash, so it never changes."""
    return _file(file, "public, max-age=31536000, immutable")


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """The catalogue answers too; raises (503) when it does not."""
    async with services_of(request).database.anonymous() as connection:
        await accounts.establishments(connection)
    return JSONResponse({"status": "ready"})
