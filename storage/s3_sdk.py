"""The other client of S3: boto3, for what obstore does not offer, its errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from storage.errors import (
    BucketNotFoundError,
    ObjectFrozenError,
    StorageError,
    StoreRefusedError,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    from storage.s3 import S3Options

_REFUSED = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403"})
_FROZEN = frozenset({"InvalidObjectState", "ObjectNotInActiveTierError"})


def sdk_client(options: "S3Options", signature: Any = None) -> Any:
    """A client of one bucket's store; `signature` as botocore's Config has it."""
    import boto3  # slow to load, and most processes never ask
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=options.endpoint,
        region_name=options.region,
        aws_access_key_id=options.access_key_id,
        aws_secret_access_key=options.secret_access_key,
        config=Config(
            signature_version=signature,
            # Stores other than Amazon's stumble over checksums that come after the body.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if options.endpoint else "auto"},
            connect_timeout=min(5.0, options.read_timeout_s),
            read_timeout=options.read_timeout_s,
            retries={"max_attempts": options.retries + 1, "mode": "standard"},
        ),
    )


def error_code(error: Any) -> str:
    """Of a ClientError, as S3 has it."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def sdk_errors(doing: str) -> Iterator[None]:
    """Errors of boto3 as ours; none repeats what the store said."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except StorageError:
        raise
    except ClientError as error:
        code = error_code(error)
        if code == "NoSuchBucket":
            raise BucketNotFoundError("The bucket that is set does not exist; make it.") from error
        if code in _FROZEN:
            raise ObjectFrozenError(
                f"An archive keeps the object from {doing}; it must be thawed first."
            ) from error
        if code in _REFUSED:
            raise StoreRefusedError(
                f"The store refused {doing}; check rights and locks."
            ) from error
        raise StoreUnavailableError(f"The store failed at {doing}; try again later.") from error
    except BotoCoreError as error:
        raise StoreUnavailableError(
            f"The store did not answer while {doing}; try again later."
        ) from error
