"""What a pathologist sees: a real browser, from the drop folder to compared pixels."""

import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

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
    "synthetic/zeiss-zstd0.czi",
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                "--force-color-profile=srgb",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, shared_system: Any) -> Iterator[Page]:
    """A signed-in page; an error in the page's own code fails the test."""
    context = browser.new_context(
        base_url=shared_system.address, viewport={"width": 1280, "height": 860}, locale="fr-FR"
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    sign_in(page)
    yield page
    context.close()
    assert not errors


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_test_id("sign-in-name").fill("admin")
    page.get_by_test_id("sign-in-password").fill(PASSWORD)
    page.get_by_test_id("sign-in-submit").click()
    expect(page.get_by_test_id("arrivals")).to_be_visible()


def picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def show_at_full_size(page: Page, x: int, y: int) -> None:
    """Put base pixel (x, y) at the stage's upper left, one image pixel on one screen pixel."""
    page.evaluate(
        """([x, y]) => {
            const { viewport } = window.sgiViewer;
            const size = viewport.getContainerSize();
            viewport.setRotation(0, true);
            viewport.fitBounds(viewport.imageToViewportRectangle(x, y, size.x, size.y), true);
        }""",
        [x, y],
    )
    page.wait_for_timeout(150)
    expect(page.locator("[data-testid=viewer][data-ready=true]")).to_be_visible(timeout=30_000)


def seen(page: Page, columns: int, rows: int) -> np.ndarray:
    """The upper left of the stage as it is on the screen, `(rows, columns, 3)`."""
    box = page.get_by_test_id("viewer-canvas").bounding_box()
    assert box is not None
    clip = {"x": box["x"], "y": box["y"], "width": columns, "height": rows}
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))


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


def open_slide(page: Page, slide: str) -> None:
    page.goto(f"/view/{slide}")
    expect(page.locator("[data-testid=viewer][data-ready=true]")).to_be_visible(timeout=30_000)


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


def compare(page: Page, source: Path, *, exact: bool) -> None:
    """What the browser shows at 1:1 is what OpenSlide reads, within the codec's rounding."""
    with openslide.OpenSlide(source) as slide:
        _, _, width, height = scanned_area(slide)
    columns, rows = min(width, 700), min(height, 480)
    x, y = darkest_region(source, columns, rows)
    show_at_full_size(page, x, y)
    shown = seen(page, columns, rows).astype(float)
    expected = expected_region(source, x, y, columns, rows)
    error = ((shown - expected) ** 2).mean()
    decibel = 10 * np.log10(255**2 / max(float(error), 1e-9))
    assert decibel > (38 if exact else 26), f"{decibel:.1f} dB"


def test_sign_in_is_asked_for_and_refuses(browser: Browser, shared_system: Any) -> None:
    context = browser.new_context(base_url=shared_system.address, locale="en-GB")
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_test_id("sign-in")).to_be_visible()
    picture(page, "sign-in-en")
    page.get_by_test_id("sign-in-name").fill("admin")
    page.get_by_test_id("sign-in-password").fill("not it")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("sign-in-problem")).to_contain_text("not right")
    assert page.request.get("/api/v1/slides").status == 401
    context.close()


def test_a_slide_arrives_before_the_eyes(
    page: Page, shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    picture(page, "worklist-empty-fr")
    source = own_slide("arrive.svs", seed=11, rows=3000, columns=4200)
    shared_system.put(source)
    expect(page.get_by_test_id("arrival").first).to_contain_text("arrive.svs")
    card = page.get_by_test_id("slide-card").filter(has_text="arrive.svs")
    expect(card).to_be_visible(timeout=60_000)
    page.wait_for_timeout(500)
    picture(page, "worklist-fr")
    card.click()
    expect(page.locator("[data-testid=viewer][data-ready=true]")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("panel-label")).to_be_visible()
    expect(page.get_by_test_id("panel-overview")).to_be_visible()
    expect(page.get_by_test_id("map")).to_be_visible()
    expect(page.get_by_test_id("scale-bar")).to_be_visible()
    picture(page, "viewer-fr")
    compare(page, source, exact=True)


def test_the_edge_of_the_slide_is_not_padded(
    page: Page, shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    source = own_slide("edge.svs", seed=12, rows=1111, columns=1777)
    shared_system.put(source)
    open_slide(page, shared_system.wait_for("edge.svs", "published")["slide"])
    show_at_full_size(page, 1777 - 300, 1111 - 200)
    shown = seen(page, 360, 260)
    expected = expected_region(source, 1777 - 300, 1111 - 200, 300, 200)
    error = ((shown[:200, :300].astype(float) - expected) ** 2).mean()
    assert error < 30
    surround = shown[210:, 310:].astype(int)
    assert surround.max() < 60, "beyond the slide there is only the dark surround"


def test_magnification_by_key_is_told(
    page: Page, shared_system: Any, own_slide: Callable[..., Path]
) -> None:
    source = own_slide("keys.svs", seed=13, rows=2400, columns=3000)
    shared_system.put(source)
    open_slide(page, shared_system.wait_for("keys.svs", "published")["slide"])
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
    page: Page, shared_system: Any, shared_slides: Path, name: str
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
    open_slide(page, slide["id"])
    facts = shared_system.client().get(f"/api/v1/slides/{slide['id']}").json()
    compare(page, source, exact=facts["levels"][0]["origin"] == "passed through")
    page.keyboard.press("0")
    page.wait_for_timeout(700)
    picture(page, f"slide-{folder}")
