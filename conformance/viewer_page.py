"""The page that holds dicom-microscopy-viewer, and a browser that has the means to show it."""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "viewer"
_PACKAGES = _FOLDER / "node_modules"
_VIEWER = _PACKAGES / "dicom-microscopy-viewer" / "dist"

FILES = {
    "page.html": _FOLDER / "page.html",
    "page.js": _FOLDER / "page.js",
    "dicomweb-client.js": _PACKAGES / "dicomweb-client" / "build" / "dicomweb-client.js",
    "dicomMicroscopyViewer.bundle.min.js": _VIEWER / "dicomMicroscopyViewer.bundle.min.js",
    "dataLoader.worker.min.js": _VIEWER / "dataLoader.worker.bundle.min.js",
    **{path.name: path for path in _VIEWER.glob("*.wasm")},
}
"""By the name under which the page asks for them."""


def arguments() -> list[str]:
    """Of Chromium: without a graphics card, WebGL is drawn by its own software."""
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    return [
        *alone,
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--force-color-profile=srgb",
    ]
