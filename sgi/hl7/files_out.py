"""Our messages as files: a folder into which each is written, for another system to take."""

import asyncio
import secrets
from datetime import UTC, datetime
from pathlib import Path

from sgi.hl7.acknowledge import answer
from sgi.hl7.connection_out import Late
from sgi.hl7.durable import write_whole
from sgi.hl7.errors import LinkUnavailableError


class FileTransport:
    """Writes each message as a file of its own; what is written counts as accepted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, raw: bytes) -> bytes:
        """The answer is ours: nobody else gives one. Raises LinkUnavailableError."""
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.hl7"
        try:
            await asyncio.to_thread(self._write, name, raw)
        except OSError as error:
            raise LinkUnavailableError(
                f"The message cannot be written into {self._folder}: {error.strerror}."
            ) from error
        return answer(raw, None, now)

    async def late(self) -> Late:
        """Never: the answers are ours."""
        never: asyncio.Future[Late] = asyncio.get_running_loop().create_future()
        return await never

    async def close(self) -> None:
        """Nothing is held."""

    def _write(self, name: str, raw: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / name, raw)
