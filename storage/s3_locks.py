"""Versions and object lock of an S3 bucket, by boto3: obstore speaks of neither."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from storage.keys import require_key, require_prefix
from storage.locks import ObjectVersion
from storage.s3_sdk import error_code, sdk_client, sdk_errors

if TYPE_CHECKING:
    from storage.s3 import S3Options

_NOT_THERE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"})
# Stores do not agree on what they answer for an object without a retention.
_NOT_RETAINED = _NOT_THERE | {
    "NoSuchObjectLockConfiguration",
    "ObjectLockConfigurationNotFoundError",
}
_NOT_OFFERED = frozenset(
    {"ObjectLockConfigurationNotFoundError", "NotImplemented", "InvalidRequest", "MethodNotAllowed"}
)


class S3Locks:
    """`storage.locks.Lockable` of one bucket; may be shared between threads."""

    def __init__(self, options: "S3Options") -> None:
        self._bucket = options.bucket
        self._client = sdk_client(options)
        self._locks = False

    def is_versioned(self) -> bool:
        with sdk_errors("asking whether versions are kept"):
            try:
                answer = self._client.get_bucket_versioning(Bucket=self._bucket)
            except self._client.exceptions.ClientError as error:
                if error_code(error) in _NOT_OFFERED:
                    return False
                raise
        # Versions that were made before versioning was suspended are still there.
        return answer.get("Status") in {"Enabled", "Suspended"}

    def offers_lock(self) -> bool:
        if not self._locks:  # once it has it, a bucket never loses it
            self._locks = self._ask_for_lock()
        return self._locks

    def _ask_for_lock(self) -> bool:
        with sdk_errors("asking for object lock"):
            try:
                answer = self._client.get_object_lock_configuration(Bucket=self._bucket)
            except self._client.exceptions.ClientError as error:
                if error_code(error) in _NOT_OFFERED:
                    return False
                raise
        return bool(answer["ObjectLockConfiguration"].get("ObjectLockEnabled") == "Enabled")

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        require_prefix(prefix)
        with sdk_errors("listing versions"):
            pages = self._client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for found in page.get("Versions", ()):
                    yield ObjectVersion(found["Key"], found["VersionId"], found["Size"])
                for found in page.get("DeleteMarkers", ()):
                    yield ObjectVersion(found["Key"], found["VersionId"], 0, is_marker=True)

    def end_uploads(self, prefix: str) -> int:
        require_prefix(prefix)
        ended = 0
        with sdk_errors("ending unfinished uploads"):
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for found in page.get("Uploads", ()):
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=found["Key"], UploadId=found["UploadId"]
                    )
                    ended += 1
        return ended

    def delete_version(self, version: ObjectVersion) -> None:
        place = self._place(version)
        # Only where there is something to pass: a store without locks does not know the word.
        passing = {"BypassGovernanceRetention": True} if self.offers_lock() else {}
        with sdk_errors("deleting a version"):
            try:
                self._client.delete_object(**place, **passing)
            except self._client.exceptions.ClientError as error:
                if error_code(error) not in _NOT_THERE:
                    raise

    def hold(self, version: ObjectVersion, *, on: bool) -> None:
        with sdk_errors("setting a legal hold"):
            self._client.put_object_legal_hold(
                **self._place(version), LegalHold={"Status": "ON" if on else "OFF"}
            )

    def retained_until(self, version: ObjectVersion) -> datetime | None:
        with sdk_errors("reading a retention"):
            try:
                answer = self._client.get_object_retention(**self._place(version))
            except self._client.exceptions.ClientError as error:
                if error_code(error) in _NOT_RETAINED:
                    return None
                raise
        until: datetime | None = answer.get("Retention", {}).get("RetainUntilDate")
        return until

    def retain(self, version: ObjectVersion, until: datetime) -> None:
        # Without a bypass: so the store itself shortens no retention, whoever else sets one now.
        with sdk_errors("setting a retention"):
            self._client.put_object_retention(
                **self._place(version),
                Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
            )

    def _place(self, version: ObjectVersion) -> dict[str, str]:
        key = require_key(version.key)
        return {"Bucket": self._bucket, "Key": key, "VersionId": version.version}
