"""The questions of a probe that are asked of buckets of S3 alone, by boto3: obstore has no words
for most of them.
"""

import base64
import dataclasses
import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from storage.locks import Lockable
from storage.probe_checks import PART_BYTES, NotOfferedError, Site, UnmetError
from storage.s3 import S3ObjectStore, S3Options
from storage.s3_locks import S3Locks
from storage.s3_sdk import sdk_client, sdk_errors
from storage.thaw import Thaw

_SKEW_S = 60.0
_FIVE_NAMES = ("a", "b/c", "b/d", "e", "f")


@dataclass(frozen=True, slots=True)
class S3Site(Site):
    """A folder of our own in a bucket."""

    options: S3Options
    sdk: Any
    """A client of boto3."""
    locks: Lockable

    @classmethod
    def of(cls, options: S3Options, folder: str) -> "S3Site":
        """By clients that lose patience soon; what is put goes into the bucket's own class, since
        an archive gives nothing back.
        """
        quick = dataclasses.replace(
            options, part_size_bytes=PART_BYTES, retries=1, retry_s=2.0, storage_class=None
        )
        return cls(S3ObjectStore(quick), folder, options, sdk_client(quick), S3Locks(quick))

    def place(self, name: str) -> dict[str, str]:
        return {"Bucket": self.options.bucket, "Key": self.key(name)}


def part_order(site: Site) -> str:
    site = _s3(site)
    place, data = site.place("part-order"), random.randbytes(2 * PART_BYTES + 1)  # noqa: S311
    with sdk_errors("writing in parts"):
        upload = site.sdk.create_multipart_upload(**place)["UploadId"]
        parts = []
        for number in (3, 1, 2):
            part = data[(number - 1) * PART_BYTES : number * PART_BYTES]
            sent = site.sdk.upload_part(**place, UploadId=upload, PartNumber=number, Body=part)
            parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        parts.sort(key=lambda part: part["PartNumber"])
        site.sdk.complete_multipart_upload(
            **place, UploadId=upload, MultipartUpload={"Parts": parts}
        )
    if site.store.read(site.key("part-order")) != data:
        raise UnmetError("Parts were put together in the order in which they came.")
    return ""


def pages(site: Site) -> str:
    site = _s3(site)
    place = Site(site.store, site.key("pages/"))
    keys = [place.key(name) for name in _FIVE_NAMES]
    for key in keys:
        place.store.put(key, b"")
    found: list[str] = []
    with sdk_errors("listing"):
        pages = site.sdk.get_paginator("list_objects_v2").paginate(
            Bucket=site.options.bucket,
            Prefix=place.folder,
            PaginationConfig={"PageSize": 2, "MaxItems": 20},
        )
        for page in pages:
            found += [each["Key"] for each in page.get("Contents", ())]
    if found != keys:
        raise UnmetError("A list in pages leaves objects out, or repeats them.")
    return ""


def closed_to_strangers(site: Site) -> str:
    site = _s3(site)
    from botocore import UNSIGNED

    stranger = sdk_client(dataclasses.replace(site.options, retries=0), UNSIGNED)
    site.store.put(site.key("secret"), b"secret")
    with sdk_errors("asking as a stranger"):
        try:
            stranger.get_object(**site.place("secret"))
        except stranger.exceptions.ClientError:
            return ""
    raise UnmetError(
        "Whoever reaches the store reads slides without any credentials: close the bucket to all "
        "but the SGI's key."
    )


def unfinished_uploads(site: Site) -> str:
    site = _s3(site)
    with sdk_errors("beginning an upload"):
        site.sdk.create_multipart_upload(**site.place("unfinished/upload"))
    if site.locks.end_uploads(site.key("unfinished/")) != 1:
        raise UnmetError(
            "Unfinished uploads are not listed: let a lifecycle rule of the bucket end them."
        )
    if site.locks.end_uploads(site.key("unfinished/")) != 0:
        raise UnmetError("An upload that was ended is still listed: it may go on taking room.")
    return ""


def content_type(site: Site) -> str:
    site = _s3(site)
    site.store.put(site.key("typed"), b"type", content_type="application/dicom")
    with sdk_errors("measuring"):
        kept = site.sdk.head_object(**site.place("typed")).get("ContentType")
    if kept != "application/dicom":
        raise UnmetError("Other programs that read the bucket do not learn what an object is.")
    return ""


def damaged_upload(site: Site) -> str:
    site = _s3(site)
    other = base64.b64encode(hashlib.md5(b"others", usedforsecurity=False).digest()).decode()
    with sdk_errors("sending damaged bytes"):
        try:
            site.sdk.put_object(**site.place("damaged"), Body=b"bytes", ContentMD5=other)
        except site.sdk.exceptions.ClientError:
            return ""
    raise UnmetError("Content-MD5 is not compared; every slide is read back all the same.")


def clock(site: Site) -> str:
    site = _s3(site)
    with sdk_errors("asking for the time"):
        answer = site.sdk.head_bucket(Bucket=site.options.bucket)
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if said is None:
        raise NotOfferedError("The store does not tell its time.")
    try:
        skew_s = abs((parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        raise NotOfferedError("The store tells its time in no known form.") from None
    if skew_s > _SKEW_S:
        raise UnmetError(
            f"It is {skew_s:.0f} s off ours; at 15 minutes stores refuse every request: set both "
            "clocks by NTP."
        )
    return f"within {max(1.0, skew_s):.0f} s"


def versions(site: Site) -> str:
    if _s3(site).locks.is_versioned():
        return "let a lifecycle rule end old ones"
    raise NotOfferedError("What is deleted or replaced by mistake is gone; a second copy helps.")


def object_lock(site: Site) -> str:
    if _s3(site).locks.offers_lock():
        return "legal holds and retention are kept by the store itself"
    raise NotOfferedError("Legal holds are kept by the SGI alone; a bucket made with it helps.")


def storage_class(site: Site) -> str:
    site = _s3(site)
    store = S3ObjectStore(dataclasses.replace(site.options, retries=1, retry_s=2.0))
    key, chosen = site.key("class"), site.options.storage_class
    store.put(key, b"cold")
    archive = store.archive()
    if archive.freezes():
        archive.freeze(key, {})
        if archive.state(key).thaw is Thaw.NEVER_FROZEN:
            raise UnmetError(f"What is frozen in {chosen} does not lie there afterwards.")
    store.delete(key)
    return f"{chosen}"


def _s3(site: Site) -> S3Site:
    if not isinstance(site, S3Site):
        raise NotOfferedError("Buckets of S3 alone are asked this.")
    return site
