"""From the drop folder to the REST interface: what a laboratory's first hour looks like."""

import hashlib
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import openslide
import pytest

SHARED_SLIDES = (
    "aperio/CMU-1-Small-Region.svs",
    "synthetic/aperio-jpeg.svs",
    "synthetic/aperio-33003.svs",
    "synthetic/aperio-33005.svs",
    "synthetic/brightfield.ome.tif",
    "synthetic/generic-jpeg.tiff",
    "synthetic/hamamatsu.ndpi",
    "synthetic/hamamatsu-zstack.ndpi",
    "synthetic/philips.tiff",
    "synthetic/ventana.bif",
)


def source_region(path: Path, x: int, y: int, columns: int, rows: int) -> np.ndarray:
    """Level-0 pixels by OpenSlide, transparent parts on white."""
    with openslide.OpenSlide(path) as slide:
        rgba = np.asarray(slide.read_region((x, y), 0, (columns, rows)), np.float32)
    alpha = rgba[..., 3:] / 255
    return (rgba[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)


def signal_to_noise_db(pixels: np.ndarray, expected: np.ndarray) -> float:
    """PSNR; the finest tissue texture at quality 90 and 4:2:2 stays above 28 dB."""
    error = float(((pixels.astype(float) - expected) ** 2).mean())
    return 10 * math.log10(255**2 / max(error, 1e-9))


def tile_pixels(
    system: Any, slide: str, level: int, column: int, row: int, plane: int = 0
) -> np.ndarray:
    answer = system.client().get(f"/tiles/{slide}/{level}/{column}/{row}?plane={plane}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    return np.asarray(imagecodecs.jpeg_decode(answer.content))


def test_a_dropped_file_becomes_a_slide(shared_system: Any, own_slide: Callable[..., Path]) -> None:
    source = own_slide("first.svs", seed=1)
    original = hashlib.sha256(source.read_bytes()).hexdigest()
    dropped = shared_system.put(source)
    arrival = shared_system.wait_for("first.svs", "published")

    slide = shared_system.client().get(f"/api/v1/slides/{arrival['slide']}").json()
    assert slide["file_name"] == "first.svs"
    assert slide["source_sha256"] == original
    assert slide["pixel_spacing_mm"] == pytest.approx([0.0005, 0.0005])
    assert slide["associated"] == ["label", "overview", "thumbnail"]
    origins = [level["origin"] for level in slide["levels"]]
    assert origins[:2] == ["passed through", "passed through"]
    assert max(slide["levels"][-1][k] for k in ("columns", "rows")) <= 512

    # The stored frame is the scanner's own: decoded, it equals the source exactly.
    base = slide["levels"][0]
    for column, row in ((0, 0), (3, 2), (base["columns"] // base["tile_columns"], 0)):
        pixels = tile_pixels(shared_system, slide["id"], 0, column, row)
        x, y = column * base["tile_columns"], row * base["tile_rows"]
        shown = min(base["tile_columns"], base["columns"] - x)
        expected = source_region(source, x, y, shown, base["tile_rows"])
        assert np.array_equal(pixels[:, :shown], expected)

    # The original was moved, whole, and only after publishing.
    deadline = time.monotonic() + 10
    done = shared_system.drop / ".done" / "first.svs"
    while not done.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert hashlib.sha256(done.read_bytes()).hexdigest() == original
    assert not dropped.exists()


def test_the_same_content_again_is_a_no_op(
    shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    source = own_slide("twice.svs", seed=2)
    shared_system.put(source)
    first = shared_system.wait_for("twice.svs", "published")
    shared_system.put(source, "again/other name.svs")
    second = shared_system.wait_for("other name.svs", "duplicate")
    assert second["slide"] == first["slide"]
    names = [slide["file_name"] for slide in shared_system.slides()]
    assert names.count("twice.svs") == 1
    assert "other name.svs" not in names


@pytest.mark.parametrize("name", ["😐 lame n°1.svs", "a;b&c <d>.svs", "x" * 200 + ".svs"])
def test_any_name_goes_through(
    shared_system: Any, own_slide: Callable[..., Path], name: str
) -> None:
    seed = len(name) + 100
    shared_system.put(own_slide("plain.svs", seed=seed, rows=300, columns=400), name)
    assert shared_system.wait_for(name, "published")["slide"]


def test_a_file_that_grows_is_taken_only_when_whole(
    shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    data = own_slide("grows.svs", seed=3).read_bytes()
    target = shared_system.drop / "grows.svs"
    states = set()
    with target.open("wb") as file:
        for start in range(0, len(data), len(data) // 20 + 1):
            file.write(data[start : start + len(data) // 20 + 1])
            file.flush()
            time.sleep(0.3)
            arrival = shared_system.arrival("grows.svs")
            states.add(arrival and arrival["state"])
    assert states <= {None, "waiting"}
    arrival = shared_system.wait_for("grows.svs", "published")
    detail = shared_system.client().get(f"/api/v1/slides/{arrival['slide']}").json()
    assert detail["source_sha256"] == hashlib.sha256(data).hexdigest()


def test_a_file_that_vanishes_says_so(shared_system: Any) -> None:
    target = shared_system.drop / "vanishes.svs"
    target.write_bytes(b"II*\0" + bytes(5000) + b"end")
    shared_system.wait_for("vanishes.svs", "waiting", "held", "quarantined")
    target.unlink()
    arrival = shared_system.wait_for("vanishes.svs", "vanished")
    assert arrival["reason"].endswith(".")


def test_a_bad_file_is_explained_and_the_next_goes_through(
    shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    whole = own_slide("cut.svs", seed=4).read_bytes()
    (shared_system.drop / "cut.svs").write_bytes(whole[: len(whole) // 2])
    (shared_system.drop / "words.svs").write_text("not a slide at all\n" * 300)
    shared_system.put(own_slide("after.svs", seed=5))
    cut = shared_system.wait_for("cut.svs", "quarantined")
    words = shared_system.wait_for("words.svs", "held")
    shared_system.wait_for("after.svs", "published")
    for arrival in (cut, words):
        assert arrival["reason"].endswith(".")
        assert "/" not in arrival["reason"]
        assert arrival["slide"] is None
    assert (shared_system.drop / "cut.svs").exists()

    # The copy that comes whole in the end is taken without anyone's help.
    (shared_system.drop / "cut.svs").write_bytes(whole)
    shared_system.wait_for("cut.svs", "published")


def test_a_person_can_ask_for_another_try(shared_system: Any) -> None:
    (shared_system.drop / "retry.svs").write_text("still no slide\n" * 300)
    held = shared_system.wait_for("retry.svs", "held")
    answer = shared_system.client().post(f"/api/v1/arrivals/{held['id']}/retry")
    assert answer.status_code == 202
    again = shared_system.wait_for("retry.svs", "held")
    assert again["id"] == held["id"]
    ended = shared_system.client().post(f"/api/v1/arrivals/{held['id']}/retry")
    assert ended.status_code == 202


def test_progress_is_pushed(shared_system: Any, own_slide: Callable[..., Path]) -> None:
    source = own_slide("pushed.svs", seed=6, rows=3000, columns=4000)
    states: list[str] = []
    listening = threading.Event()

    def listen() -> None:
        with shared_system.client().stream("GET", "/api/v1/events", timeout=60) as stream:
            for line in stream.iter_lines():
                if line.startswith(": connected"):
                    listening.set()
                if line.startswith("data: ") and '"pushed.svs"' in line:
                    states.append(line.split('"state":"')[1].split('"')[0])
                    if states[-1] == "published":
                        return

    listener = threading.Thread(target=listen)
    listener.start()
    assert listening.wait(10)
    shared_system.put(source)
    listener.join(60)
    assert states[0] == "waiting"
    assert states[-1] == "published"
    assert "converting" in states


def test_mirax_waits_for_its_folder(shared_system: Any, shared_slides: Path) -> None:
    folder = shared_slides / "synthetic"
    shared_system.put(folder / "mirax.mrxs")
    waiting = shared_system.wait_for("mirax.mrxs", "waiting")
    time.sleep(1.5)
    waiting = shared_system.wait_for("mirax.mrxs", "waiting")
    assert "folder" in waiting["reason"]
    for part in sorted((folder / "mirax").iterdir()):
        shared_system.put(part, f"mirax/{part.name}")
    shared_system.wait_for("mirax.mrxs", "published")


@pytest.mark.parametrize("name", SHARED_SLIDES)
def test_shared_slides_keep_their_pixels(
    shared_system: Any, shared_slides: Path, name: str
) -> None:
    source = shared_slides / name
    shared_system.put(source)
    arrival = shared_system.wait_for(source.name, "published", "duplicate", timeout_s=180)
    slide = shared_system.client().get(f"/api/v1/slides/{arrival['slide']}").json()
    with openslide.OpenSlide(source) as judge:
        assert (slide["levels"][0]["columns"], slide["levels"][0]["rows"]) == judge.dimensions
    base = slide["levels"][0]
    columns, rows = base["tile_columns"], base["tile_rows"]
    for column, row in ((1, 1), (base["columns"] // columns // 2, base["rows"] // rows // 2)):
        # OpenSlide shows the focal plane nearest 0.
        heights = [abs(height) for height in slide["focal_planes_um"]]
        plane = heights.index(min(heights))
        pixels = tile_pixels(shared_system, slide["id"], 0, column, row, plane)
        expected = source_region(source, column * columns, row * rows, columns, rows)
        as_stored = base["transfer_syntax"] == "1.2.840.10008.1.2.4.50"
        if base["origin"] == "passed through" and as_stored:
            assert np.array_equal(pixels, expected)
        else:
            assert signal_to_noise_db(pixels, expected) > 28


def test_bad_shared_files_are_each_explained(shared_system: Any, shared_slides: Path) -> None:
    bad = sorted(p for p in (shared_slides / "bad").rglob("*") if p.is_file())
    for path in bad:
        shared_system.put(path, f"bad/{path.relative_to(shared_slides / 'bad')}")
    mains = [p for p in bad if p.suffix not in {".dat", ".ini"}]
    for path in mains:
        arrival = shared_system.wait_for(path.name, "held", "quarantined", "waiting")
        if arrival["state"] == "waiting" and arrival["reason_code"] == "being_written":
            arrival = shared_system.wait_for(path.name, "held", "quarantined")
        assert arrival["reason"].endswith(".")
        assert arrival["reason"].count(".") <= 4
    assert all(
        (shared_system.drop / "bad" / p.relative_to(shared_slides / "bad")).exists() for p in bad
    )


def test_commands_beside_the_running_system(
    shared_system: Any, own_slide: Callable[..., Path], tmp_path: Path
) -> None:
    good, bad = own_slide("by command.svs", seed=7), tmp_path / "bad.svs"
    bad.write_text("no slide\n" * 300)
    ingested = shared_system.command("ingest", good)
    assert ingested.returncode == 0, ingested.stderr
    assert good.exists()
    assert shared_system.arrival("by command.svs")["state"] == "published"
    assert shared_system.command("ingest", bad).returncode == 1

    verified = shared_system.command("verify")
    assert verified.returncode == 0, verified.stdout
    assert ", 0 damaged objects" in verified.stdout

    shown = shared_system.command("info", good)
    assert shown.returncode == 0
    assert "Aperio SVS" in shown.stdout
    refused = shared_system.command("info", bad)
    assert refused.returncode == 1
    assert refused.stderr.startswith("sgi: ")
    assert len(refused.stderr.strip().splitlines()) == 1

    converted = shared_system.command("convert", good, tmp_path / "dicom")
    assert converted.returncode == 0, converted.stderr
    assert (tmp_path / "dicom" / "level-0.dcm").exists()
    assert shared_system.command("convert", good, tmp_path / "dicom").returncode == 1
    assert "already at" in shared_system.command("migrate").stdout
