"""The web application, built by Vite into `dist` and served as static files."""

from pathlib import Path


def dist_path() -> Path:
    """Where `npm run build` leaves the application."""
    return Path(__file__).resolve().parent / "dist"
