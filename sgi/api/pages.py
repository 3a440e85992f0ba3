"""The web application's files, and the answers for load balancers."""

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, JSONResponse, Response

import viewer
from sgi.api.services import services_of
from sgi.catalogue import accounts
from sgi.errors import NotFoundError

router = APIRouter(include_in_schema=False)


def _file(path: Path, cache: str) -> Response:
    if not path.is_file():
        raise NotFoundError("There is no such file.")
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return FileResponse(path, media_type=kind, headers={"Cache-Control": cache})


@router.get("/")
@router.get("/view/{slide}")
@router.get("/cases")
@router.get("/cases/{case}")
@router.get("/slides")
@router.get("/identification")
@router.get("/interfaces")
@router.get("/storage")
@router.get("/work")
async def page(slide: str = "", case: str = "") -> Response:  # noqa: ARG001 - it reads its address
    """The application; it asks for everything else itself."""
    return _file(viewer.dist_path() / "index.html", "no-cache")


@router.get("/favicon.svg")
async def favicon() -> Response:
    return _file(viewer.dist_path() / "favicon.svg", "public, max-age=86400")


@router.get("/assets/{file}")
async def asset(file: str) -> Response:
    """A built file; its name holds its hash, so it never changes."""
    # One segment of the address: no name leads out of the folder to another file.
    return _file(viewer.dist_path() / "assets" / file, "public, max-age=31536000, immutable")


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
