"""What a pathologist sees: a real browser, from the drop folder to compared pixels."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
from playwright.sync_api import Browser, Page, expect

PASSWORD = "correct horse battery"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = Path(__file__).resolve().parent.parent / "screenshots"
READABLE = (  # relative to the shared slides: all that OpenSlide opens of the synthetic ones
    "aperio/CMU-1-Small-Region.svs",
    "synthetic/aperio-jpeg.svs",
    "synthetic/aperio-33003.svs",
    "synthetic/aperio-33005.svs",
    "synthetic/brightfield.ome.tif",
    "synthetic/generic-jpeg.tiff",
    "synthetic/hamamatsu.ndpi",
    "synthetic/hamamatsu-zstack.ndpi",
    "synthetic/hamamatsu-vms/synth-20x.vms",
    "synthetic/leica.scn",
    "synthetic/mirax.mrxs",
    "synthetic/philips.tiff",
    "synthetic/ventana.bif",
    "synthetic/dicom/concatenation/level-0-part1.dcm",
    "synthetic/dicom/tiled-full-j2k-lossless/level-0.dcm",
    "synthetic/dicom/tiled-full-j2k/level-0.dcm",
    "synthetic/dicom/tiled-full-jpeg/level-0.dcm",
    "synthetic/dicom/tiled-full-raw/level-0.dcm",
    "synthetic/dicom/tiled-sparse/level-0.dcm",
    "synthetic/dicom/two-optical-paths/level-0.dcm",
)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"
)


def scanned_area(slide: openslide.OpenSlide) -> tuple[int, int, int, int]:
    """`(x, y, columns, rows)` of what was scanned: a Leica slide is its area, not the glass."""
    if slide.properties[openslide.PROPERTY_NAME_VENDOR] != "leica":
        return 0, 0, *slide.dimensions
    names = ("bounds-x", "bounds-y", "bounds-width", "bounds-height")
    x, y, columns, rows = (int(slide.properties[f"openslide.{name}"]) for name in names)
    return x, y, columns, rows


def expected_region(source: Path, x: int, y: int, columns: int, rows: int) -> np.ndarray:
    with openslide.OpenSlide(source) as slide:
        left, top, _, _ = scanned_area(slide)
        rgba = np.asarray(slide.read_region((left + x, top + y), 0, (columns, rows)), np.float32)
    alpha = rgba[..., 3:] / 255
    return rgba[..., :3] * alpha + 255 * (1 - alpha)


def darkest_region(source: Path, columns: int, rows: int) -> tuple[int, int]:
    """Where there is tissue: the darkest window of the coarsest level, in base pixels."""
    with openslide.OpenSlide(source) as slide:
        left, top, width, height = scanned_area(slide)
        level = slide.level_count - 1
        factor = slide.level_downsamples[level]
        size = (max(int(width / factor), 1), max(int(height / factor), 1))
        rgba = np.asarray(slide.read_region((left, top), level, size), np.float32)
    ink = (255 - rgba[..., :3].mean(2)) * (rgba[..., 3] > 0)
    across, down = (max(int(n / factor), 1) for n in (columns, rows))
    total = np.pad(ink.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = total[down:, across:] - total[:-down, across:] - total[down:, :-across]
    sums = sums + total[:-down, :-across]
    row, column = np.unravel_index(int(sums.argmax()), sums.shape)
    x = min(int(column * factor), max(width - columns, 0))
    return x, min(int(row * factor), max(height - rows, 0))


def compare(eyes: Any, source: Path, *, exact: bool) -> None:
    """What the browser shows at 1:1 is what OpenSlide reads, within the codec's rounding."""
    with openslide.OpenSlide(source) as slide:
        _, _, width, height = scanned_area(slide)
    columns, rows = min(width, 700), min(height, 480)
    x, y = darkest_region(source, columns, rows)
    eyes.show_at_full_size(x, y)
    shown = eyes.seen(columns, rows).astype(float)
    expected = expected_region(source, x, y, columns, rows)
    error = ((shown - expected) ** 2).mean()
    decibel = 10 * np.log10(255**2 / max(float(error), 1e-9))
    assert decibel > (38 if exact else 26), f"{decibel:.1f} dB"


def test_sign_in_is_asked_for_and_refuses(
    browser: Browser, shared_system: Any, eyes_on: Callable[[Page], Any]
) -> None:
    context = browser.new_context(base_url=shared_system.address, locale="en-GB")
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_test_id("sign-in")).to_be_visible()
    eyes_on(page).picture("sign-in-en")
    page.get_by_test_id("sign-in-name").fill("admin")
    page.get_by_test_id("sign-in-password").fill("not it")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("sign-in-problem")).to_contain_text("not right")
    assert page.request.get("/api/v1/slides").status == 401
    context.close()


def test_a_slide_arrives_before_the_eyes(
    page: Page, eyes: Any, shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    eyes.picture("worklist-empty-fr")
    source = own_slide("arrive.svs", seed=11, rows=3000, columns=4200)
    shared_system.put(source)
    expect(page.get_by_test_id("arrival").first).to_contain_text("arrive.svs")
    card = page.get_by_test_id("slide-card").filter(has_text="arrive.svs")
    expect(card).to_be_visible(timeout=60_000)
    page.wait_for_timeout(500)
    eyes.picture("worklist-fr")
    card.click()
    expect(page.locator("[data-testid=viewer][data-ready=true]")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("panel-label")).to_be_visible()
    expect(page.get_by_test_id("panel-overview")).to_be_visible()
    expect(page.get_by_test_id("map")).to_be_visible()
    expect(page.get_by_test_id("scale-bar")).to_be_visible()
    eyes.picture("viewer-fr")
    compare(eyes, source, exact=True)


def test_the_edge_of_the_slide_is_not_padded(
    page: Page, eyes: Any, shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    source = own_slide("edge.svs", seed=12, rows=1111, columns=1777)
    shared_system.put(source)
    eyes.open(shared_system.wait_for("edge.svs", "published")["slide"])
    eyes.show_at_full_size(1777 - 300, 1111 - 200)
    shown = eyes.seen(360, 260)
    expected = expected_region(source, 1777 - 300, 1111 - 200, 300, 200)
    error = ((shown[:200, :300].astype(float) - expected) ** 2).mean()
    assert error < 30
    surround = shown[210:, 310:].astype(int)
    assert surround.max() < 60, "beyond the slide there is only the dark surround"


def test_magnification_by_key_is_told(
    page: Page, eyes: Any, shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    source = own_slide("keys.svs", seed=13, rows=2400, columns=3000)
    shared_system.put(source)
    eyes.open(shared_system.wait_for("keys.svs", "published")["slide"])
    for key, power in (("3", 5.0), ("4", 10.0), ("5", 20.0)):
        page.keyboard.press(key)
        page.wait_for_timeout(900)
        told = float(page.get_by_test_id("viewer").get_attribute("data-magnification") or 0)
        assert told == pytest.approx(power, rel=0.03)
    page.keyboard.press("r")
    page.wait_for_timeout(700)
    assert page.evaluate("window.sgiViewer.viewport.getRotation(true)") % 360 == 90


def test_languages(page: Page) -> None:
    page.get_by_test_id("language-en").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_test_id("language-fr").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")


def test_signing_out_closes_every_door(page: Page) -> None:
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("sign-in")).to_be_visible()
    assert page.request.get("/api/v1/slides").status == 401


@pytest.mark.parametrize("name", READABLE)
def test_shared_slides_look_as_their_source(
    page: Page, eyes: Any, shared_system: Any, shared_slides: Path, name: str
) -> None:
    source = shared_slides / name
    folder = name.replace("/", "-")
    if source.suffix in {".vms", ".dcm"}:  # the whole folder is the slide
        for part in sorted(source.parent.iterdir()):
            shared_system.put(part, f"{folder}/{part.name}")
    else:
        shared_system.put(source, f"{folder}/{source.name}")
        companions = source.with_suffix("")
        if source.suffix == ".mrxs":
            for part in sorted(companions.iterdir()):
                shared_system.put(part, f"{folder}/{companions.name}/{part.name}")
    slide = shared_system.slide_below(folder, timeout_s=180)
    eyes.open(slide["id"])
    facts = shared_system.client().get(f"/api/v1/slides/{slide['id']}").json()
    base = facts["levels"][0]
    if len(facts["optical_paths"]) > 1:
        page.keyboard.press("c")  # what chooses among them lies over the slide
        expect(page.get_by_test_id("channels")).to_be_hidden()
    as_stored = base["transfer_syntax"] == "1.2.840.10008.1.2.4.50"
    compare(eyes, source, exact=base["origin"] == "passed through" and as_stored)
    page.keyboard.press("0")
    page.wait_for_timeout(700)
    eyes.picture(f"slide-{folder}")
