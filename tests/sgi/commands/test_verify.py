import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sgi.commands.verify import verify_slides
from sgi.domain.slide import Slide
from sgi.errors import NotFoundError
from sgi.stored.keys import SLIDES, frame_hashes_key, instance_key, manifest_key
from sgi.stores import Stores
from storage.cache import DiskCache
from storage.errors import StoreUnavailableError
from storage.memory import MemoryObjectStore


@pytest.fixture
def slide(url: str, here: Any, store: Any, publish: Callable[..., Slide], database: Any) -> Slide:
    """The only one of the whole catalogue that is in this store: the others are swept away."""
    with psycopg.connect(url) as connection:
        connection.execute("delete from legal_hold")
        connection.execute("delete from slide")
    return publish(here, store)


def test_all_is_sound(
    run: Any, url: str, store: Any, slide: Slide, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(verify_slides(url, Stores(store)))
    assert "1 slides verified, 0 damaged objects" in capsys.readouterr().out


def test_what_is_too_young_to_be_judged_is_counted(
    run: Any, url: str, slide: Slide, store: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = MemoryObjectStore({key: store.read(key) for key in store.objects})
    fresh.put(f"{SLIDES}{uuid.uuid4()}/1.2.dcm", b"on its way")
    assert run(verify_slides(url, Stores(fresh)))
    told = " ".join(capsys.readouterr().out.split())
    assert "1 unknown ones younger than a day are not judged yet" in told


def test_every_damage_is_named(
    run: Any, url: str, store: Any, slide: Slide, capsys: pytest.CaptureFixture[str]
) -> None:
    base, label = slide.levels[0], slide.instance("label")
    assert label
    damaged = {
        instance_key(slide.id, base.sop_uid): lambda data: data[:-9] + bytes(9),
        instance_key(slide.id, label.sop_uid): lambda data: data[:-1],
    }
    for key, damage in damaged.items():
        store.objects[key] = damage(store.objects[key])
    gone = [
        manifest_key(slide.id),
        frame_hashes_key(slide.id, slide.levels[1].sop_uid),
    ]
    for key in gone:
        del store.objects[key]
    assert not run(verify_slides(url, Stores(store)))
    told = capsys.readouterr().out.replace("\n", "")
    assert "4 damaged objects" in told
    for key in (*list(damaged)[1:], manifest_key(slide.id)):
        assert key in told


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"slide.svs", b"other.svs"),
        (b'\\"level\\": 0', b'\\"level\\": 7'),
        (b"Aperio SVS", b"Aperio SVX"),
        (b"{", b""),
        (b'\\"sha256\\": \\"', b'\\"sha256\\": \\"00'),
    ],
)
def test_a_manifest_that_says_something_else(
    run: Any,
    url: str,
    store: Any,
    slide: Slide,
    capsys: pytest.CaptureFixture[str],
    old: bytes,
    new: bytes,
) -> None:
    key = manifest_key(slide.id)
    assert old in store.objects[key]
    store.objects[key] = store.objects[key].replace(old, new, 1)
    assert not run(verify_slides(url, Stores(store)))
    told = capsys.readouterr().out.replace("\n", "")
    assert "1 damaged objects" in told
    assert key in told


def test_chosen_slides_as_json(
    run: Any,
    url: str,
    here: Any,
    store: Any,
    slide: Slide,
    publish: Callable[..., Slide],
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = publish(here, store)
    key = instance_key(slide.id, slide.levels[0].sop_uid)
    store.objects[key] = store.objects[key][:-1]
    assert run(verify_slides(url, Stores(store), [other.id], as_json=True))
    assert json.loads(capsys.readouterr().out)["slides"] == 1
    assert not run(verify_slides(url, Stores(store), [slide.id], as_json=True, repair=False))
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["object"], finding["damage"]) == (key, "size")
    assert not any(name.startswith("quarantine/") for name in store.objects)
    with pytest.raises(NotFoundError):
        run(verify_slides(url, Stores(store), [uuid.uuid4()]))


@pytest.mark.parametrize("as_json", [False, True])
def test_a_store_that_is_away_for_one_slide_keeps_no_other_from_being_verified(
    run: Any,
    url: str,
    here: Any,
    store: Any,
    slide: Slide,
    publish: Callable[..., Slide],
    capsys: pytest.CaptureFixture[str],
    as_json: bool,
) -> None:
    slides = sorted([slide, publish(here, store), publish(here, store)], key=lambda s: s.id)
    away, damaged, sound = slides[0], slides[1], slides[2]
    key = instance_key(damaged.id, damaged.levels[0].sop_uid)
    store.objects[key] = store.objects[key][:-1]
    stores = Stores(AwayFor(store.objects, away.id))
    assert not run(verify_slides(url, stores, as_json=as_json))
    told = capsys.readouterr().out.replace("\n", "")
    assert "away for a while" in told
    if as_json:
        document = json.loads(told)
        assert document["slides"] == 2
        assert [each["slide"] for each in document["not_verified"]] == [str(away.id)]
        assert [each["slide"] for each in document["findings"]] == [str(damaged.id)]
    else:
        assert f"slide {away.id} is not verified" in told
        assert "2 slides verified, 1 damaged objects, 1 slides not verified" in told
    assert not run(verify_slides(url, stores, [away.id]))
    assert run(verify_slides(url, stores, [sound.id]))


class AwayFor(MemoryObjectStore):
    """Does not answer, whatever it is asked for, from the first look at one slide to the next's."""

    def __init__(self, objects: dict[str, bytes], slide_id: uuid.UUID) -> None:
        super().__init__(objects)
        self._slide_id = str(slide_id)
        self._is_away = False

    def _require(self, key: str) -> None:
        if key.startswith(SLIDES):
            self._is_away = self._slide_id in key
        if self._is_away:
            raise StoreUnavailableError("The store is away for a while.")

    def read(self, key: str, **options: Any) -> bytes:
        self._require(key)
        return super().read(key, **options)

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        self._require(key)
        return super().read_range(key, offset, length)

    def read_chunks(self, key: str, *chunk_bytes: int) -> Any:
        self._require(key)
        return super().read_chunks(key, *chunk_bytes)

    def size(self, key: str) -> int:
        self._require(key)
        return super().size(key)


def test_the_cache_of_this_machine_too(
    run: Any,
    url: str,
    store: Any,
    slide: Slide,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def fill() -> None:
        cache = DiskCache(store, tmp_path / "cache", 1 << 20)
        key = instance_key(slide.id, slide.levels[0].sop_uid)
        for offset in (0, 100, 200):
            await cache.read_range_async(key, offset, 100)
        cache.close()

    run(fill())
    entry = next((tmp_path / "cache").glob("??/*"))
    entry.write_bytes(entry.read_bytes()[:-1] + b"?")
    assert run(verify_slides(url, Stores(store), cache=tmp_path / "cache"))
    assert "1 of 3 cached tiles dropped" in capsys.readouterr().out.replace("\n", " ")
    assert not entry.exists()
