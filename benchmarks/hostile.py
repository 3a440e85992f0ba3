"""A slide whose every tile takes seconds to unpack, and what the viewers of others notice of it."""

import http.client
import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile

from benchmarks.figures import Figure, alone, beside
from benchmarks.pathologists import Told, Wish, play, sign_in, wishes_of_all
from benchmarks.run import say
from benchmarks.slides import size_bytes, write_slide
from benchmarks.system import own_system, publish
from sgi.settings import Settings

VIEWERS = 40
SECONDS = 20.0
ROUNDS = 2
_TILE = 1024
_SIDE = 4
_HOSTILE_CONNECTIONS = 6
_APERIO_JPEG_2000_RGB = 33005
_PATIENCE_S = 60.0


def measure() -> list[Figure]:
    """Others alone and beside the hostile slide, in turn."""
    slide_bytes = size_bytes()
    with own_system(2 * slide_bytes) as system:
        source = system.folder / "ordinary.svs"
        grid = write_slide(source, slide_bytes, "ordinary")
        ordinary = str(publish(system, source).slide_id)
        source.unlink()
        say("the hostile slide comes in")
        source = system.folder / "hostile.svs"
        write_hostile(source)
        hostile = str(publish(system, source).slide_id)
        cookie = sign_in(system)
        alone_s: list[Told] = []
        beside_s: list[Told] = []
        tiles: list[float] = []
        for number in range(ROUNDS):
            for told in (alone_s, beside_s) if number % 2 == 0 else (beside_s, alone_s):
                wishes = _wishes(wishes_of_all([ordinary], grid))
                if told is alone_s:
                    say(f"{VIEWERS} pathologists, {SECONDS:.0f} s")
                    told.append(play(system.settings.port, cookie, wishes))
                else:
                    say(f"{VIEWERS} pathologists, {SECONDS:.0f} s, beside the hostile slide")
                    with _looked_at(system.settings, sign_in(system), hostile, tiles):
                        told.append(play(system.settings.port, cookie, wishes))
    return [
        alone("hostile.tile", tiles, "s"),
        *(
            beside(f"hostile.others_p{hundredths}",
                   [told.percentile_ms(hundredths) for told in beside_s], "ms",
                   "without", [told.percentile_ms(hundredths) for told in alone_s])
            for hundredths in (50, 99)
        ),
        alone("hostile.others_failures", [sum(told.failures for told in alone_s + beside_s)], ""),
    ]  # fmt: skip


def _wishes(all_of_them: list[list[Wish]]) -> list[list[Wish]]:
    return [[wish for wish in wishes if wish.at_s < SECONDS] for wishes in all_of_them[:VIEWERS]]


def write_hostile(path: Path) -> None:
    """An SVS of noise in JPEG 2000 without loss, in large tiles."""
    noise = np.random.default_rng(9).integers(0, 256, (_TILE, _TILE, 3), np.uint8)
    tile = imagecodecs.jpeg2k_encode(noise, level=0, codecformat="j2k", mct=False)
    pixels = _SIDE * _TILE

    def tiles() -> Iterator[bytes]:
        for _ in range(_SIDE * _SIDE):
            yield tile

    with tifffile.TiffWriter(path, bigtiff=True) as file:
        file.write(
            tiles(),
            shape=(pixels, pixels, 3),
            dtype=np.uint8,
            tile=(_TILE, _TILE),
            compression=_APERIO_JPEG_2000_RGB,
            photometric="rgb",
            description=f"Aperio Image Library v12.0.15 \r\n{pixels}x{pixels} ({_TILE}x{_TILE}) "
            "J2K/RGB Q=100|AppMag = 40|MPP = 0.2500",
            metadata=None,
            software=False,
        )


@contextmanager
def _looked_at(settings: Settings, cookie: str, slide: str, tiles_s: list[float]) -> Iterator[None]:
    """The tiles of a slide asked for again and again, over the connections of one browser."""
    over, asked = threading.Event(), itertools.count(256)
    places = [(column, row) for column in range(_SIDE) for row in range(_SIDE)]

    def look(mine: Sequence[tuple[int, int]]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", settings.port, timeout=_PATIENCE_S)
        while not over.is_set():
            for column, row in mine:
                if over.is_set():
                    break
                began = time.monotonic()
                # Another window each time, so that it is always unpacked anew.
                path = f"/tiles/{slide}/0/{column}/{row}?window=0-{next(asked)}"
                connection.request("GET", path, headers={"Cookie": cookie})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    tiles_s.append(time.monotonic() - began)
        connection.close()

    lookers = [
        threading.Thread(target=look, args=(places[number::_HOSTILE_CONNECTIONS],))
        for number in range(_HOSTILE_CONNECTIONS)
    ]
    for looker in lookers:
        looker.start()
    try:
        time.sleep(2)
        yield
    finally:
        over.set()
        for looker in lookers:
            looker.join()
