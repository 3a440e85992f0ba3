"""S3's classes that are read only after a restore (GLACIER, DEEP_ARCHIVE), by boto3."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from storage.errors import ObjectChangedError, StorageError, StoreRefusedError
from storage.keys import require_key
from storage.locks import ObjectVersion
from storage.ranges import not_found
from storage.s3_locks import S3Locks
from storage.s3_sdk import error_code, sdk_client, sdk_errors
from storage.thaw import Thaw, ThawState

if TYPE_CHECKING:
    from storage.s3 import S3Options

FREEZING_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""What lies in them must be thawed; every other class is read at once."""

_NOT_THERE = frozenset({"NoSuchKey", "404"})
_CHANGED = frozenset({"PreconditionFailed", "412"})
_THAWING = frozenset({"RestoreAlreadyInProgress"})
_NEVER_FROZEN = frozenset({"InvalidObjectState"})
_UNTIL = re.compile(r'expiry-date="([^"]{1,64})"')
_MOST_PARTS = 10_000
_COPY_TIMEOUT_S = 300.0
_COPY_BYTES = 1 << 30


class S3Thaw:
    """`storage.thaw.Thawable` of one bucket; may be shared between threads.

    Args:
        options: of the bucket; its storage class is the one that objects are frozen in.
        copy_bytes: what is copied by one request. S3 takes 5 GiB at most; less is answered before
            our patience ends.
    """

    def __init__(self, options: "S3Options", copy_bytes: int = _COPY_BYTES) -> None:
        self._options = options
        self._copy_bytes = copy_bytes
        # A copy is answered when it is done.
        patient = replace(options, read_timeout_s=max(_COPY_TIMEOUT_S, options.read_timeout_s))
        self._client = sdk_client(options)
        self._copying = sdk_client(patient)
        self._locks = S3Locks(options)

    def freezes(self) -> bool:
        return self._options.storage_class in FREEZING_CLASSES

    def state(self, key: str) -> ThawState:
        return _state(self._head(key))

    def thaw(self, key: str, days: int) -> None:
        asked = {"Days": days, "GlacierJobParameters": {"Tier": self._options.thaw_tier}}
        with sdk_errors("asking for an object to be thawed"):
            try:
                self._client.restore_object(**self._place(key), RestoreRequest=asked)
            except self._client.exceptions.ClientError as error:
                if error_code(error) in _NOT_THERE:
                    raise not_found(key) from error
                if error_code(error) not in _THAWING | _NEVER_FROZEN:
                    raise

    def freeze(self, key: str, marks: Mapping[str, str]) -> None:
        if not self.freezes():
            raise StorageError("Objects are frozen in a class that must be thawed; none is set.")
        found = self._head(key)
        if found.get("StorageClass") not in FREEZING_CLASSES:
            with sdk_errors("freezing an object"):
                try:
                    self._copy(key, found, dict(marks))
                except self._copying.exceptions.ClientError as error:
                    if error_code(error) in _CHANGED:
                        raise ObjectChangedError(
                            f"The object {key} was replaced while it was being frozen."
                        ) from error
                    raise
        if found.get("VersionId", "null") != "null":
            self._delete_former(key, found["ContentLength"])

    def _head(self, key: str) -> dict[str, Any]:
        with sdk_errors("asking how an object lies"):
            try:
                found: dict[str, Any] = self._client.head_object(**self._place(key))
            except self._client.exceptions.ClientError as error:
                if error_code(error) in _NOT_THERE:
                    raise not_found(key) from error
                raise
        return found

    def _copy(self, key: str, found: dict[str, Any], marks: dict[str, str]) -> None:
        """The object onto itself, in the other class."""
        place = self._place(key)
        source = {"CopySource": place, "CopySourceIfMatch": found["ETag"]}
        becomes = {
            "StorageClass": self._options.storage_class,
            "ContentType": found.get("ContentType", "application/octet-stream"),
            "Metadata": marks,
        }
        size_bytes = found["ContentLength"]
        if size_bytes <= self._copy_bytes:
            self._copying.copy_object(**place, **source, **becomes, MetadataDirective="REPLACE")
            return
        upload = place | {
            "UploadId": self._copying.create_multipart_upload(**place, **becomes)["UploadId"]
        }
        try:
            parts = self._copy_parts(upload, source, size_bytes)
            self._copying.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        except BaseException:
            with suppress(Exception):  # the first error is the one to tell
                self._copying.abort_multipart_upload(**upload)
            raise

    def _copy_parts(
        self, upload: dict[str, str], source: dict[str, Any], size_bytes: int
    ) -> list[dict[str, Any]]:
        step = max(self._copy_bytes, -(-size_bytes // _MOST_PARTS))
        parts = []
        for number, start in enumerate(range(0, size_bytes, step), start=1):
            end = min(start + step, size_bytes)
            copied = self._copying.upload_part_copy(
                **upload,
                **source,
                PartNumber=number,
                CopySourceRange=f"bytes={start}-{end - 1}",
            )
            parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
        return parts

    def _delete_former(self, key: str, size_bytes: int) -> None:
        """A bucket that keeps versions kept the one that was copied, and would for years."""
        with sdk_errors("listing versions"):
            pages = self._client.get_paginator("list_object_versions")
            former = [
                ObjectVersion(key, found["VersionId"], found["Size"])
                for page in pages.paginate(Bucket=self._options.bucket, Prefix=key)
                for found in page.get("Versions", ())
                if found["Key"] == key
                and not found["IsLatest"]
                and found["Size"] == size_bytes
                and found.get("StorageClass") not in FREEZING_CLASSES
            ]
        for version in former:
            with suppress(StoreRefusedError):  # under a legal hold: kept until it is lifted
                self._locks.delete_version(version)

    def _place(self, key: str) -> dict[str, str]:
        return {"Bucket": self._options.bucket, "Key": require_key(key)}


def _state(found: dict[str, Any]) -> ThawState:
    """Of the answer to HEAD: its storage class, and the header x-amz-restore."""
    size_bytes, marks = found["ContentLength"], dict(found.get("Metadata", {}))
    if found.get("StorageClass") not in FREEZING_CLASSES:
        return ThawState(Thaw.NEVER_FROZEN, size_bytes, marks)
    told = str(found.get("Restore", ""))
    if 'ongoing-request="true"' in told:
        return ThawState(Thaw.THAWING, size_bytes, marks)
    if 'ongoing-request="false"' not in told:
        return ThawState(Thaw.FROZEN, size_bytes, marks)
    until = _moment(told)
    over = until is not None and until <= datetime.now(UTC)
    return ThawState(Thaw.FROZEN if over else Thaw.THAWED, size_bytes, marks, until)


def _moment(told: str) -> datetime | None:
    found = _UNTIL.search(told)
    if found is None:
        return None
    try:
        moment = parsedate_to_datetime(found[1])
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
