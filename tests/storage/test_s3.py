import dataclasses
import traceback
import urllib.error
import urllib.request
from datetime import timedelta

import obstore
import pytest
from obstore.store import S3Store

from storage import (
    BucketNotFoundError,
    ObjectNotFoundError,
    S3ObjectStore,
    S3Options,
    StoreRefusedError,
    StoreUnavailableError,
)
from storage.testing import ObjectStoreContract


class TestS3ObjectStore(ObjectStoreContract):
    @pytest.fixture
    def store(self, s3_store: S3ObjectStore, s3_options: S3Options) -> S3ObjectStore:
        self.signer = S3Store(
            s3_options.bucket,
            endpoint=s3_options.endpoint,
            region=s3_options.region,
            access_key_id=s3_options.access_key_id,
            secret_access_key=s3_options.secret_access_key,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )
        return s3_store

    def set_behind(self, store: S3ObjectStore, key: str, data: bytes) -> None:
        url = obstore.sign(self.signer, "PUT", key, timedelta(minutes=1))
        urllib.request.urlopen(urllib.request.Request(url, data, method="PUT")).close()

    def get_behind(self, store: S3ObjectStore, key: str) -> bytes | None:
        url = obstore.sign(self.signer, "GET", key, timedelta(minutes=1))
        try:
            with urllib.request.urlopen(url) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise

    def test_content_type_is_kept(self, store: S3ObjectStore) -> None:
        with store.open_write("a", content_type="application/dicom") as sink:
            sink.write(b"DICM")
        store.put("b", b"{}", content_type="application/json")
        kinds = [obstore.get(self.signer, key).attributes["Content-Type"] for key in "ab"]
        assert kinds == ["application/dicom", "application/json"]


def test_wrong_credentials_are_refused_and_never_shown(s3_options: S3Options) -> None:
    secret = "wrong-and-secret"
    store = S3ObjectStore(dataclasses.replace(s3_options, secret_access_key=secret))
    for ask in (
        lambda: store.read("a"),
        lambda: store.put("a", b""),
        lambda: list(store.list()),
        lambda: store.size("a"),
        lambda: store.delete("a"),
    ):
        with pytest.raises(StoreRefusedError) as caught:
            ask()
        told = "".join(traceback.format_exception(caught.value))
        assert secret not in told
        assert str(s3_options.access_key_id) not in str(caught.value)


def test_options_do_not_show_credentials() -> None:
    shown = repr(S3Options("bucket", access_key_id="identity", secret_access_key="secret"))
    assert "identity" not in shown
    assert "secret'" not in shown


def test_a_missing_bucket_is_not_a_missing_object(s3_options: S3Options) -> None:
    store = S3ObjectStore(dataclasses.replace(s3_options, bucket="nowhere"))
    with pytest.raises(BucketNotFoundError):
        store.read("a")
    with pytest.raises(BucketNotFoundError):
        store.put("a", b"")
    with pytest.raises(BucketNotFoundError):
        list(store.list())


def test_nobody_there() -> None:
    store = S3ObjectStore(
        S3Options(
            "bucket",
            endpoint="http://127.0.0.1:9",
            access_key_id="a",
            secret_access_key="b",
            retries=1,
        )
    )
    with pytest.raises(StoreUnavailableError):
        store.read("a")
    with pytest.raises(StoreUnavailableError), store.open_write("a") as sink:
        sink.write(b"bytes")


def test_a_slash_more_or_less_is_another_object(s3_store: S3ObjectStore) -> None:
    s3_store.put("folder/b", b"bytes")
    with pytest.raises(ObjectNotFoundError):
        s3_store.size("folder")


def test_chunks_longer_than_the_pieces_they_come_in(s3_store: S3ObjectStore) -> None:
    """The store's own contract test has small ones."""
    data = bytes(range(256)) * 10_000
    s3_store.put("a", data)
    chunks = list(s3_store.read_chunks("a", 1 << 20))
    assert b"".join(chunks) == data
    assert 3 < len(chunks) <= 10
    assert max(map(len, chunks)) <= 1 << 20
