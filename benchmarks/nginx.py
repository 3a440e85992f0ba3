"""An nginx of one worker on the loopback, that serves a folder of files."""

import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sgi.engines.process import start_process, stop_process
from sgi.errors import SgiError

_READY_S = 10.0
_SBIN = "/usr/sbin:/usr/local/sbin"
"""Where Debian puts it, which is not on every account's PATH."""

# Kept files open and connections for ever: nginx at its best, so that it is a peer and no excuse.
_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
{user}
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 600;
  keepalive_requests 1000000000;
  open_file_cache max=100000 inactive=600s;
  open_file_cache_valid 600s;
  default_type image/jpeg;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {root};
    add_header Cache-Control "private, max-age=31536000, immutable";
    add_header X-Content-Type-Options nosniff;
  }}
}}
"""


def find_nginx() -> str | None:
    """The program, if this machine has it."""
    return shutil.which("nginx") or shutil.which("nginx", path=_SBIN)


@contextmanager
def nginx(program: str, root: Path, folder: Path) -> Iterator[int]:
    """Serve the files below `root`; gives the port, and ends with the context or this process."""
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder, root=root, port=port, user="user root;" if os.geteuid() == 0 else ""
        )
    )
    process = start_process(
        [program, "-p", folder, "-e", folder / "error.log", "-c", configuration],
        directory=folder,
        log=folder / "output.log",
        death_signal=signal.SIGTERM,
        environment={"PATH": os.defpath},
    )
    try:
        _wait_for(port)
        yield port
    finally:
        stop_process(process, [(signal.SIGTERM, 5), (signal.SIGKILL, 5)])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise SgiError("nginx does not start; run the benchmark without it.") from error
            time.sleep(0.05)
