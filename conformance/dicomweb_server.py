"""Instances of a folder over DICOMweb, on loopback, as much of it as a viewer asks for.

Made of the same mappings as the application's own routes (`dicom.web`), without its database and
its sessions: what is looked at here is whether viewers understand what is written.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from conformance.viewer_page import FILES
from dicom.reader import Instance
from dicom.web.document import Document, find_bulk, located, read_document
from dicom.web.media import JSON, OCTETS
from dicom.web.multipart import Multipart

STUDY = "/dicomweb/studies"


@dataclass(frozen=True, slots=True)
class _File:
    """A `ByteSource` on the disk."""

    path: Path

    def read(self, offset: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


class DicomWebServer:
    """Serves one slide; use it as a context manager."""

    def __init__(self, instances: list[Path]) -> None:
        self._sources = [_File(path) for path in instances]
        self._instances: dict[str, Instance] = {}
        self._documents: dict[str, Document] = {}
        handler = type("Handler", (_Handler,), {"slide": self})
        self._server = _Server(("127.0.0.1", 0), handler)

    def __enter__(self) -> Self:
        for source in self._sources:
            instance = Instance.open(source)
            uid = instance.header.sop_instance_uid
            self._instances[uid], self._documents[uid] = instance, read_document(source)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Content type and body of an address; None where there is nothing."""
        name = path.rpartition("/")[2]
        if not path.startswith(STUDY):
            file = FILES.get(name)
            return None if file is None else (_TYPES[file.suffix], file.read_bytes())
        series, _, below = path.partition("/instances/")
        if name == "metadata" and not below:
            at = f"{self.address}{series.removesuffix('/metadata')}/instances"
            told = [located(each, f"{at}/{uid}") for uid, each in self._documents.items()]
            return JSON, json.dumps(told).encode()
        uid, _, wanted = below.partition("/")
        kind, _, what = wanted.partition("/")
        if kind == "frames":
            return _in_parts([self._instances[uid].frame(int(n) - 1) for n in what.split(",")])
        if kind == "bulkdata":
            source = self._instances[uid].source
            place = find_bulk(source, what)
            return None if place is None else (OCTETS, source.read(place.offset, place.length))
        return None


_TYPES: Mapping[str, str] = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".wasm": "application/wasm",
}


def _in_parts(frames: list[bytes]) -> tuple[str, bytes]:
    parts = Multipart(OCTETS)
    told = b"".join(parts.head(OCTETS, len(frame)) + frame for frame in frames)
    return parts.content_type, told + parts.end()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # what is being answered ends before the instances go away


class _Handler(BaseHTTPRequestHandler):
    slide: DicomWebServer

    def do_GET(self) -> None:
        found = self.slide.answer(self.path)
        self.send_response(404 if found is None else 200)
        media_type, body = found or ("text/plain", b"")
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the table tells what was wrong."""
