"""The stores that one SGI works with, made from its settings."""

from dataclasses import dataclass

from sgi.errors import ConfigurationError
from sgi.settings import BucketSettings, ColdSettings, Settings, ThawTier
from storage.s3 import S3ObjectStore, S3Options
from storage.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Stores:
    """Every store there is; a bucket is never two of them."""

    warm: ObjectStore
    """Whole slides, and the small levels of cold ones."""
    cold: ObjectStore | None = None
    """Large levels of slides that are seldom looked at."""
    second: ObjectStore | None = None
    """A second copy of what is in the others."""


def open_stores(settings: Settings) -> Stores:
    """The stores; nothing is asked of them yet.

    Raises:
        ConfigurationError: none is set, or one bucket is set twice.
    """
    chosen = settings.storage
    if chosen.endpoint is None:
        raise ConfigurationError(
            "No object store is set: start `sgi up`, or set SGI_STORAGE__ENDPOINT to an S3 store."
        )
    warm = _options(chosen)
    cold = None if chosen.cold is None else _options(_completed(chosen.cold, chosen))
    second = None if chosen.second is None else _options(_completed(chosen.second, chosen))
    places = [(each.endpoint, each.bucket) for each in (warm, cold, second) if each is not None]
    if len(set(places)) != len(places):
        raise ConfigurationError(
            "The same bucket is set twice: give SGI_STORAGE__BUCKET, SGI_STORAGE__COLD__BUCKET and "
            "SGI_STORAGE__SECOND__BUCKET names of their own."
        )
    return Stores(
        S3ObjectStore(warm),
        None if cold is None else S3ObjectStore(cold),
        None if second is None else S3ObjectStore(second),
    )


def own_buckets(settings: Settings) -> tuple[str, ...]:
    """The buckets, beside the first, that lie in the warm store itself."""
    others = (settings.storage.cold, settings.storage.second)
    return tuple(each.bucket for each in others if each is not None and each.endpoint is None)


def _completed(bucket: BucketSettings, warm: BucketSettings) -> BucketSettings:
    """Of another store, or of the warm one."""
    if bucket.endpoint is not None:
        return bucket
    return bucket.model_copy(
        update={
            "endpoint": warm.endpoint,
            "region": warm.region,
            "access_key_id": warm.access_key_id,
            "secret_access_key": warm.secret_access_key,
        }
    )


def _options(bucket: BucketSettings) -> S3Options:
    cold = bucket if isinstance(bucket, ColdSettings) else None
    return S3Options(
        bucket=bucket.bucket,
        endpoint=bucket.endpoint,
        region=bucket.region,
        access_key_id=bucket.access_key_id or None,
        secret_access_key=bucket.secret_access_key.get_secret_value() or None,
        storage_class=None if cold is None else cold.storage_class,
        thaw_tier=ThawTier.STANDARD if cold is None else cold.thaw_tier,
    )
