"""Objects in an S3 bucket, by obstore, with every wait bounded."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from storage.keys import require_key, require_prefix
from storage.locks import Lockable
from storage.ranges import past_the_end, require_length, require_limit, require_range
from storage.s3_errors import translated
from storage.s3_locks import S3Locks
from storage.s3_thaw import FREEZING_CLASSES, S3Thaw
from storage.store import CHUNK_BYTES, OCTETS, READ_LIMIT_BYTES, ObjectInfo, ObjectSink
from storage.thaw import Thawable

_PIECE_BYTES = 1 << 18
"""Of an answer are handed on at once: what is this short is still in the processor's cache, and in
memory that was used before."""
_LIST_PAGE = 1000
"""Objects in one answer; S3 gives no more."""


@dataclass(frozen=True, slots=True)
class S3Options:
    """Where a bucket is and how patient we are with it."""

    bucket: str
    endpoint: str | None = None
    """Scheme, host and port, such as `http://127.0.0.1:8333`; none for Amazon's own."""
    region: str = "us-east-1"
    access_key_id: str | None = dataclasses.field(default=None, repr=False)
    """None for the credentials of the machine's role."""
    secret_access_key: str | None = dataclasses.field(default=None, repr=False)
    storage_class: str | None = None
    """Of the objects written, such as GLACIER_IR; None for the bucket's own. What is written for
    one that must be thawed (GLACIER, DEEP_ARCHIVE) lies in the bucket's own until it is frozen."""
    thaw_tier: str = "Standard"
    """How urgently objects are thawed: Expedited, Standard or Bulk."""
    part_size_bytes: int = 8 * 1024 * 1024
    """Of a streaming upload; S3 allows 10,000 parts, so 8 MiB is good for objects of 80 GB."""
    parts_in_flight: int = 4
    """Uploaded at once by one sink: bounds its memory to this many parts and one more."""
    read_timeout_s: float = 10.0
    """One answer, body included. SeaweedFS thinks for 13 s before it reports damaged bytes."""
    write_timeout_s: float = 60.0
    """One part of an upload, until its answer."""
    retries: int = 3
    """Of one request, after 5xx answers and broken connections."""
    retry_s: float = 5.0
    """No retry begins later than this after the first try."""


class S3ObjectStore:
    """An `ObjectStore` in one bucket, which must exist."""

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._locks: S3Locks | None = None
        self._archive: S3Thaw | None = None
        self._reading = _client(options, options.read_timeout_s)
        self._writing = _client(options, options.write_timeout_s)

    @property
    def options(self) -> S3Options:
        """Where the bucket is."""
        return self._options

    @contextmanager
    def open_write(self, key: str, *, content_type: str = OCTETS) -> Iterator[ObjectSink]:
        require_key(key)
        with translated("writing", key):
            writer = obstore.open_writer(
                self._writing,
                key,
                attributes=self._attributes(content_type),
                buffer_size=self._options.part_size_bytes,
                max_concurrency=self._options.parts_in_flight,
            )
        # The client's writer uploads parts in the background. Leaving it completes the upload;
        # leaving it with an exception aborts it. The producer's own errors pass untranslated.
        try:
            yield _Sink(key, writer)
        except BaseException as error:
            with suppress(BaseError, OSError):  # the first error is the one to tell
                writer.__exit__(type(error), error, error.__traceback__)
            raise
        with translated("writing", key):
            writer.__exit__(None, None, None)

    def put(self, key: str, data: bytes, *, content_type: str = OCTETS) -> None:
        with translated("writing", require_key(key)):
            obstore.put(
                self._writing,
                key,
                data,
                attributes=self._attributes(content_type),
                chunk_size=self._options.part_size_bytes,
                max_concurrency=self._options.parts_in_flight,
            )

    def _attributes(self, content_type: str) -> dict[str, str]:
        chosen = self._options.storage_class
        if chosen in FREEZING_CLASSES:
            chosen = None
        return {"Content-Type": content_type} | ({"Storage-Class": chosen} if chosen else {})

    def read(self, key: str, *, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        with translated("reading", require_key(key)):
            answer = obstore.get(self._reading, key)
            require_limit(key, answer.meta["size"], limit_bytes)
            return answer.bytes().to_bytes()

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        require_range(require_key(key), offset, length)
        if length == 0:
            return b""
        with translated("reading", key):
            data = obstore.get_range(self._reading, key, start=offset, length=length)
        return require_length(key, offset, length, data.to_bytes())

    async def read_range_async(self, key: str, offset: int, length: int) -> bytes:
        require_range(require_key(key), offset, length)
        if length == 0:
            return b""
        with translated("reading", key):
            data = await obstore.get_range_async(self._reading, key, start=offset, length=length)
        return require_length(key, offset, length, data.to_bytes())

    def read_chunks(self, key: str, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        with translated("reading", require_key(key)):
            meta = obstore.head(self._reading, key)
        # One request for each chunk, so that a timeout bounds each and not the whole object;
        # the entity tag makes sure that all are of one and the same object.
        for start in range(0, meta["size"], chunk_bytes):
            end = min(start + chunk_bytes, meta["size"])
            with translated("reading", key):
                answer = obstore.get(
                    self._reading,
                    key,
                    options={"range": (start, end), "if_match": meta["e_tag"]},
                )
                pieces = answer.stream(min_chunk_size=_PIECE_BYTES)
            came = 0
            while piece := _next(pieces, key):
                came += len(piece)
                yield piece
            if came != end - start:
                raise past_the_end(key, start, end - start)

    def size(self, key: str) -> int:
        with translated("measuring", require_key(key)):
            return obstore.head(self._reading, key)["size"]

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        require_prefix(prefix)
        with translated("listing", prefix or "the bucket"):
            for page in obstore.list(self._reading, prefix or None, chunk_size=_LIST_PAGE):
                for meta in page:
                    yield ObjectInfo(meta["path"], meta["size"], meta["last_modified"])

    def delete(self, key: str) -> None:
        with translated("deleting", require_key(key)):
            obstore.delete(self._writing, key)

    def versions_and_locks(self) -> Lockable:
        """What the bucket can do beyond objects; see `storage.locks`."""
        if self._locks is None:  # its client takes a while to make
            self._locks = S3Locks(self._options)
        return self._locks

    def archive(self) -> Thawable:
        """The bucket's frozen objects; see `storage.thaw`."""
        if self._archive is None:  # as above
            self._archive = S3Thaw(self._options)
        return self._archive


def _next(pieces: Iterator[bytes], key: str) -> bytes:
    """The next piece of an answer; empty after the last."""
    with translated("reading", key):
        # The client's own kind of bytes, whatever its types say.
        return bytes(next(pieces, b""))


class _Sink:
    def __init__(self, key: str, writer: "obstore.WritableFile") -> None:
        self._key = key
        self._writer = writer

    def write(self, data: bytes, /) -> None:
        with translated("writing", self._key):
            self._writer.write(data)


def _client(options: S3Options, timeout_s: float) -> S3Store:
    plain_http = options.endpoint is not None and options.endpoint.startswith("http://")
    given = {
        "endpoint": options.endpoint,
        "access_key_id": options.access_key_id,
        "secret_access_key": options.secret_access_key,
    }
    return S3Store(
        options.bucket,
        region=options.region,
        # A signature over every byte is a SHA-256 more for each upload, and proves only that they
        # left as they were: whoever stores something precious here reads it back.
        unsigned_payload=True,
        # Bucket names as host names need DNS entries that a store of one's own does not have.
        virtual_hosted_style_request=options.endpoint is None,
        client_options={
            "allow_http": plain_http,
            "connect_timeout": timedelta(seconds=min(5.0, timeout_s)),
            "timeout": timedelta(seconds=timeout_s),
        },
        retry_config={
            "max_retries": options.retries,
            "retry_timeout": timedelta(seconds=options.retry_s),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=1),
                "base": 2,
            },
        },
        # obstore types every setting by its own name, which a filtered mapping cannot show.
        **{name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]
    )
