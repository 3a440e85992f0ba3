"""`sgi serve`: a web server in front of the application.

In clear, which is on the loopback or behind a proxy, uvicorn with a short way for tiles; over TLS
Granian, which speaks HTTP/2. Both run the same application; decision 0011 has the figures.
"""

import ipaddress
import os
import signal
from pathlib import Path

import uvicorn
from granian.constants import Interfaces
from granian.server import Server
from uvicorn.supervisors import Multiprocess

from sgi.api.lane import LaneProtocol
from sgi.app import database_url, open_store
from sgi.errors import ConfigurationError
from sgi.machine import environment
from sgi.settings import Settings

_APPLICATION = "sgi.app:application"
_KEPT_S = 75
"""An idle connection: longer than proxies keep theirs, so that they are the ones to close."""
_STOPPING_S = 5
"""Requests under way have this long to end."""


def serve(settings: Settings) -> None:
    """Serve until stopped; raises ConfigurationError rather than speak in clear to a network."""
    database_url(settings)
    open_store(settings)
    require_privacy(settings)
    os.environ.update(environment(settings))
    if settings.tls.certificate is not None:
        _serve_over_tls(settings, settings.tls.certificate)
    else:
        _serve_in_clear(settings)


def _serve_over_tls(settings: Settings, certificate: Path) -> None:
    Server(
        _APPLICATION,
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.serve_processes,
        respawn_failed_workers=True,
        ssl_cert=certificate,
        ssl_key=settings.tls.key,
        websockets=False,
        workers_kill_timeout=_STOPPING_S,
    ).serve()


def _serve_in_clear(settings: Settings) -> None:
    config = uvicorn.Config(
        _APPLICATION,
        factory=True,
        http=LaneProtocol,
        loop="asyncio",
        ws="none",
        lifespan="on",
        host=settings.host,
        port=settings.port,
        workers=settings.serve_processes,
        log_config=None,
        access_log=False,
        # Addresses of clients are read where they are used, in `sgi.api.guard`.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEPT_S,
        timeout_graceful_shutdown=_STOPPING_S,
    )
    if settings.serve_processes > 1:
        Multiprocess(config, [config.bind_socket()]).run()
        return
    # The server hands a signal on once it has stopped; to stop when asked is no failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    uvicorn.Server(config).run()


def require_privacy(settings: Settings) -> None:
    """Raises ConfigurationError when passwords would cross a network in clear."""
    if not settings.secure and not is_loopback(settings.host):
        raise ConfigurationError(
            f"{settings.host} is reached from outside: set SGI_TLS__CERTIFICATE and SGI_TLS__KEY, "
            "or SGI_BEHIND_TLS_PROXY=true behind a proxy on this host."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
