"""A slide that comes back from an archive, as a pathologist sees it while it is being thawed."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from playwright.sync_api import Page, expect

from storage import S3ObjectStore, S3Options

RULES = {"rules": [{"after_days": 90, "event": "last_viewed"}], "warm_side": 600}
BUCKET = "archive-of-a-laboratory"


@pytest.fixture(scope="module")
def shared_system(archive_endpoint: str, make_shared: Callable[..., Any]) -> Iterator[Any]:
    """Its cold store is an archive that must thaw."""
    boto3.client(
        "s3",
        endpoint_url=archive_endpoint,
        region_name="us-east-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
    ).create_bucket(Bucket=BUCKET)
    folder = Path(tempfile.mkdtemp(prefix="sgi-", dir="/tmp"))
    folder.chmod(0o755)
    cold = {
        "BUCKET": BUCKET,
        "ENDPOINT": archive_endpoint,
        "ACCESS_KEY_ID": "id",
        "SECRET_ACCESS_KEY": "secret",
        "STORAGE_CLASS": "DEEP_ARCHIVE",
    }
    settings = {f"SGI_STORAGE__COLD__{name}": value for name, value in cold.items()}
    with make_shared(folder, settings) as started:
        yield started
    shutil.rmtree(folder, ignore_errors=True)


def moved(system: Any, slide: str, state: str) -> Any:
    """The slide, once its move has come to that."""
    for _ in range(300):
        told = system.client().get(f"/api/v1/slides/{slide}").json()
        if told["tiers"]["move"]["state"] == state:
            return told
        time.sleep(0.2)
    pytest.fail(f"it did not become {state}: {told['tiers']}")


def lose_warm_objects(system: Any, slide: str) -> None:
    """As it is some minutes later: a restore would take what is still there."""
    told = json.loads((system.data / "run" / "engines.json").read_text())
    with psycopg.connect(told["database"]["url"]) as connection:
        uids = connection.execute(
            "update instance set warm_left_at = null where slide_id = %s and tier = 'cold'"
            " returning sop_uid",
            [slide],
        ).fetchall()
    chosen = told["storage"]
    names = ("endpoint", "bucket", "region", "access_key_id", "secret_access_key")
    store = S3ObjectStore(S3Options(**{name: chosen[name] for name in names}))
    for (uid,) in uids:
        store.delete(f"slides/{slide}/{uid}.dcm")


def test_a_slide_says_since_when_the_archive_is_asked(
    page: Page, eyes: Any, shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    client = shared_system.client()
    assert client.put("/api/v1/tiers/policy", json=RULES).status_code == 200
    shared_system.put(own_slide("archived.svs", seed=32))
    slide = shared_system.wait_for("archived.svs", "published")["slide"]
    assert client.post(f"/api/v1/slides/{slide}/cold").status_code == 202
    assert moved(shared_system, slide, "done")["levels"][0]["tier"] == "cold"
    lose_warm_objects(shared_system, slide)

    eyes.open(slide)
    banner = page.get_by_test_id("cold-banner")
    expect(banner).to_contain_text("13\u00a0heures")
    page.get_by_test_id("ask-restore").click()
    thawing = page.get_by_test_id("restore-thawing")
    expect(thawing).to_contain_text("Demandé à l’archive le", timeout=30_000)
    expect(thawing).to_contain_text("Attendu au plus tard le")
    expect(thawing).to_contain_text("Demandé par vous")
    expect(banner.locator("progress")).to_have_count(0)
    eyes.picture("cold-archive-fr")
    told = moved(shared_system, slide, "thawing")["tiers"]
    assert told["move"]["archive_asked_at"] is not None
    assert client.post(f"/api/v1/slides/{slide}/restore").json()["move"]["id"] == told["move"]["id"]
