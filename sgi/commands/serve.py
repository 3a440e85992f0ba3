"""`sgi serve`: Granian in front of the application."""

import ipaddress
import os

from granian.constants import Interfaces
from granian.server import Server

from sgi.app import database_url, open_store
from sgi.errors import ConfigurationError
from sgi.machine import environment
from sgi.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until stopped; raises ConfigurationError rather than speak in clear to a network."""
    database_url(settings)
    open_store(settings)
    require_privacy(settings)
    os.environ.update(environment(settings))
    Server(
        "sgi.app:application",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.serve_processes,
        respawn_failed_workers=True,
        ssl_cert=settings.tls.certificate,
        ssl_key=settings.tls.key,
        websockets=False,
        workers_kill_timeout=5,
    ).serve()


def require_privacy(settings: Settings) -> None:
    """Raises ConfigurationError when passwords would cross a network in clear."""
    if not settings.secure and not _is_loopback(settings.host):
        raise ConfigurationError(
            f"{settings.host} is reached from outside: set SGI_TLS__CERTIFICATE and SGI_TLS__KEY, "
            "or SGI_BEHIND_TLS_PROXY=true behind a proxy on this host."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
