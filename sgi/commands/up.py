"""`sgi up`: everything on one machine; what dies is started again, what stops leaves nothing."""

import asyncio
import logging
import os
import signal
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from pydantic import SecretStr

from sgi.access.first_account import NAME, ensure_establishment, ensure_first_account, kept_password
from sgi.app import database_url
from sgi.catalogue.database import Database
from sgi.catalogue.migrate import migrate
from sgi.commands.ports import usable_port, with_hl7_port
from sgi.commands.serve import require_privacy
from sgi.engines.errors import EngineError
from sgi.engines.postgres import EmbeddedPostgres
from sgi.engines.process import start_process, stop_process
from sgi.engines.seaweed import EmbeddedSeaweed
from sgi.errors import ConfigurationError
from sgi.machine import environment, forget_ports, tell, told_ports
from sgi.proved_stores import require_proved_stores
from sgi.settings import ColdSettings, DatabaseSettings, Settings, StorageSettings
from sgi.stores import open_stores, own_buckets
from storage.errors import StoreUnavailableError

_log = logging.getLogger(__name__)
_POLL_S = 0.25
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 10.0
_STEADY_S = 30.0
_READY_S = 120.0
_HL7_READY_S = 20.0

_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to
"""Where to reach a server that listens everywhere."""


def _opener() -> urllib.request.OpenerDirector:
    """For our own server only, and without a proxy of the environment's in between.

    The certificate is the hospital's: made out to the name that browsers use and perhaps signed by
    an authority unknown here, it never fits the loopback address. Nothing secret is asked either.
    """
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unverified)
    )


_OURSELVES = _opener()


@dataclass(slots=True)
class _Process:
    """One of our own processes, and how patient we are with its dying."""

    name: str
    command: list[str]
    running: Popen[bytes] | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE_S
    not_before: float = 0.0

    def start(self, settings: Settings) -> None:
        logs = settings.data / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.running = start_process(
            self.command,
            directory=Path.cwd(),
            log=logs / f"{self.name}.log",
            death_signal=signal.SIGTERM,
            environment=os.environ | environment(settings),
        )
        self.started = time.monotonic()

    def revive(self, settings: Settings) -> None:
        """Start again if it died; slower each time, unless it had run steadily."""
        now = time.monotonic()
        if self.running is not None:
            if self.running.poll() is None:
                return
            _log.warning("%s ended (exit code %s)", self.name, self.running.returncode)
            steady = now - self.started > _STEADY_S
            self.pause = _FIRST_PAUSE_S if steady else min(self.pause * 2, _LONGEST_PAUSE_S)
            self.not_before = now + self.pause
            self.running = None
        if now >= self.not_before:
            self.start(settings)

    def stop(self) -> None:
        if self.running is not None:
            stop_process(self.running, [(signal.SIGTERM, 15), (signal.SIGKILL, 5)])
            self.running = None


@dataclass(slots=True)
class Up:
    """The engines and the processes of one machine, from `start` to `stop`."""

    settings: Settings
    stopping: Callable[[], bool] = lambda: False
    """True once a person or the system asked us to stop."""
    password: str = ""
    _postgres: EmbeddedPostgres | None = None
    _seaweed: EmbeddedSeaweed | None = None
    _processes: list[_Process] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where browsers find us."""
        return self._address(self.settings.host)

    def start(self) -> None:
        """Engines, migrations, first account, processes; returns when the server answers.

        Raises EngineError or ConfigurationError with a sentence that says what to do.
        """
        require_privacy(self.settings)  # here, or `serve` would say so again and again, to its log
        self.settings = _absolute(self.settings)
        self.settings.data.mkdir(parents=True, exist_ok=True)
        self.settings.drop.mkdir(parents=True, exist_ok=True)
        self._choose_port()
        self.settings = with_hl7_port(self.settings)
        self._start_engines()
        if self._seaweed is None:  # what a person set, that person hears of
            with suppress(StoreUnavailableError):
                require_proved_stores(self.settings, open_stores(self.settings))
        url = database_url(self.settings)
        migrate(url)
        warm = open_stores(self.settings).warm
        ensure_establishment(url, self.settings.establishment, warm)
        chosen = self.settings.admin_password
        self.password = (
            chosen.get_secret_value() if chosen else kept_password(self.settings.data / "secrets")
        )
        asyncio.run(self._ensure_account(url))
        sgi = [sys.executable, "-m", "sgi"]
        names = ["serve", "worker", "watch", "hl7"]
        forget_ports(self.settings)
        if self.settings.backup.folder is not None:
            names.append("backup")
        self._processes = [_Process(name, [*sgi, name]) for name in names]
        for process in self._processes:
            process.start(self.settings)
        self._wait_until_ready()

    def run(self) -> None:
        """Keep every part alive until `stopping()` is true."""
        while not self.stopping():
            self.keep_alive()
            time.sleep(_POLL_S)

    def keep_alive(self) -> None:
        """Start again whatever has died."""
        try:
            if self._engine_died():
                self._start_engines()
            for process in self._processes:
                process.revive(self.settings)
        except (EngineError, OSError) as error:  # tried again at the next look
            _log.warning("an engine does not start: %s", error)
            time.sleep(1)

    def stop(self) -> None:
        """Processes first, so that they can finish with their engines; then the engines."""
        for process in reversed(self._processes):
            process.stop()
        for engine in (self._seaweed, self._postgres):
            if engine is not None:
                engine.stop()

    def _engine_died(self) -> bool:
        return any(
            engine is not None and not engine.is_alive()
            for engine in (self._postgres, self._seaweed)
        )

    def _start_engines(self) -> None:
        """Start the engines that no setting replaces; harmless for those that live."""
        before = self.settings
        if self._postgres is not None or before.database.url is None:
            self._postgres = self._postgres or EmbeddedPostgres(before.data / "postgres")
            url = SecretStr(self._postgres.start())
            self._change(database=DatabaseSettings(url=url))
        if self._seaweed is not None or before.storage.endpoint is None:
            storage = before.storage
            self._change(
                storage=storage.model_copy(update={"cold": storage.cold or ColdSettings()})
            )
            self._seaweed = self._seaweed or EmbeddedSeaweed(
                before.data / "seaweed",
                bucket=storage.bucket,
                more_buckets=own_buckets(self.settings),
            )
            found = self._seaweed.start()
            where = {
                "endpoint": found.endpoint,
                "bucket": found.bucket,
                "region": found.region,
                "access_key_id": found.access_key_id or "",
                "secret_access_key": SecretStr(found.secret_access_key or ""),
            }
            self._change(storage=self.settings.storage.model_copy(update=where))
        tell(self.settings)
        if self._processes and environment(before) != environment(self.settings):
            for process in self._processes:  # an engine has moved: all must know
                process.stop()

    def _change(self, **parts: DatabaseSettings | StorageSettings) -> None:
        self.settings = self.settings.model_copy(update=parts)

    def _choose_port(self) -> None:
        """Port 0 becomes a free one; a taken one is said at once rather than after a minute."""
        try:
            port = usable_port(self.settings.host, self.settings.port)
        except OSError as error:
            raise ConfigurationError(
                f"Port {self.settings.port} on {self.settings.host} cannot be used "
                f"({error.strerror}): stop what uses it, or set SGI_PORT to another."
            ) from error
        self.settings = self.settings.model_copy(update={"port": port})
        os.environ["SGI_PORT"] = str(port)
        os.environ["SGI_DATA"] = str(self.settings.data)

    async def _ensure_account(self, url: str) -> None:
        async with Database(url, size=1) as database:
            await ensure_first_account(database, self.password)

    def _address(self, host: str) -> str:
        scheme = "https" if self.settings.tls.certificate else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.settings.port}"

    def _wait_until_ready(self) -> None:
        address = self._address(_LOOPBACK_OF.get(self.settings.host, self.settings.host))
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            if self.stopping():
                return
            try:
                with _OURSELVES.open(f"{address}/readyz", timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                self.keep_alive()
                time.sleep(0.1)
        else:
            raise ConfigurationError(
                f"The server did not answer within {_READY_S:.0f} s; see {self.settings.data}/logs."
            )
        self._wait_for_hl7()

    def _wait_for_hl7(self) -> None:
        """Slides can be read without: this is said, and goes on."""
        deadline = time.monotonic() + _HL7_READY_S
        while told_ports(self.settings) is None and not self.stopping():
            if time.monotonic() > deadline:
                _log.warning("HL7 is not ready yet; see %s/logs/hl7.log", self.settings.data)
                return
            self.keep_alive()
            time.sleep(0.05)

    def sign_in(self) -> str:
        """The line that tells a person where to go and how to come in."""
        line = f"ready {self.address}  sign in as {NAME} with password {self.password}"
        ports = told_ports(self.settings) or {}
        hl7 = ", ".join(f"{name} on port {port}" for name, port in ports.items())
        return f"{line}  HL7: {hl7}" if hl7 else line


def _absolute(settings: Settings) -> Settings:
    return settings.model_copy(update={"data": settings.data.absolute()})
