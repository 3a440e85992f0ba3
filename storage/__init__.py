"""Objects by key, whole or in ranges: in memory, in a directory, in S3; knows nothing of slides."""

from storage.errors import (
    BucketNotFoundError,
    CorruptObjectError,
    InvalidKeyError,
    ObjectChangedError,
    ObjectFrozenError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    RangeError,
    StorageError,
    StoreFullError,
    StoreRefusedError,
    StoreUnavailableError,
)
from storage.local import LocalObjectStore
from storage.memory import MemoryObjectStore
from storage.s3 import S3ObjectStore, S3Options
from storage.store import AsyncRangeReader, ObjectInfo, ObjectSink, ObjectStore

__all__ = [
    "AsyncRangeReader",
    "BucketNotFoundError",
    "CorruptObjectError",
    "InvalidKeyError",
    "LocalObjectStore",
    "MemoryObjectStore",
    "ObjectChangedError",
    "ObjectFrozenError",
    "ObjectInfo",
    "ObjectNotFoundError",
    "ObjectSink",
    "ObjectStore",
    "ObjectTooLargeError",
    "RangeError",
    "S3ObjectStore",
    "S3Options",
    "StorageError",
    "StoreFullError",
    "StoreRefusedError",
    "StoreUnavailableError",
]
