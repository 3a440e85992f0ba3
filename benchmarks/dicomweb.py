"""DICOMweb: whether a frame's number matters, and what its other answers cost."""

import asyncio
import http.client
import itertools
import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence

import obstore

from benchmarks.figures import Figure, alone, beside
from benchmarks.reads import slide_of
from benchmarks.run import say
from benchmarks.slides import size_bytes, write_slide
from benchmarks.system import Published, System, own_system, publish
from sgi.access.first_account import NAME
from sgi.domain.slide import Slide
from sgi.errors import SgiError
from sgi.stored.keys import instance_key

FRAMES = 200
"""Single frames asked for from each end, one from each run of eight: no memory has them."""
LIST = 200
"""Frames of a list."""
ROUNDS = 5
_APART = 8
_DICOM = "application/dicom"
_IN_PARTS = 'multipart/related; type="image/jpeg"'


def measure() -> list[Figure]:
    """On one published slide, one question after the other."""
    slide_bytes = size_bytes()
    with own_system(slide_bytes) as system:
        say(f"a slide of {slide_bytes >> 20} MiB is published")
        source = system.folder / "slide.svs"
        write_slide(source, slide_bytes, "dicomweb")
        published = publish(system, source)
        slide = asyncio.run(slide_of(system, published))
        asking = _Asking(system)
        say(f"its base has {slide.levels[0].frames:,} frames")
        return [
            *_single_frames(asking, slide, published),
            *_lists(asking, slide),
            *_whole(asking, slide, system),
            *_told(asking, slide),
        ]


class _Asking:
    """One kept connection with a session."""

    def __init__(self, system: System) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", system.settings.port, timeout=300
        )
        body = json.dumps({"name": NAME, "password": system.password})
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/api/v1/sign-in", body, headers)
        answer = self._connection.getresponse()
        answer.read()
        self._cookie = answer.getheader("set-cookie", "").partition(";")[0]

    def ms(self, path: str, accept: str = "*/*") -> tuple[float, int]:
        """Milliseconds until the last byte, and how many bytes came."""
        headers: Mapping[str, str] = {"Cookie": self._cookie, "Accept": accept}
        began = time.perf_counter()
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        came = 0
        while piece := answer.read(1 << 20):
            came += len(piece)
        took = (time.perf_counter() - began) * 1e3
        if answer.status != 200:
            raise SgiError(f"{path} was answered {answer.status}.")
        return took, came


def _at(slide: Slide) -> str:
    return f"/dicomweb/studies/{slide.study_uid}/series/{slide.series_uid}"


def _base(slide: Slide) -> str:
    return f"{_at(slide)}/instances/{slide.levels[0].sop_uid}"


def _single_frames(asking: _Asking, slide: Slide, published: Published) -> Iterator[Figure]:
    base, count = slide.levels[0], slide.levels[0].frames
    opening, _ = asking.ms(f"{_base(slide)}/frames/1", "image/jpeg")
    yield alone("dicomweb.opening", [opening], "ms")
    reach = min(FRAMES * _APART, count // 3)
    first = list(range(_APART, reach, _APART))
    last = [count - 1 - number for number in first]
    middle = [count // 2 + number for number in first]
    columns = -(-base.columns // base.tile_columns)
    took: dict[str, list[float]] = {"first": [], "last": [], "tile": []}
    for number in random.Random(3).sample(range(len(first)), len(first)):
        for name, index in (("first", first[number]), ("last", last[number])):
            path = f"{_base(slide)}/frames/{index + 1}"
            took[name].append(asking.ms(path, "image/jpeg")[0])
        row, column = divmod(middle[number], columns)
        tile = f"/tiles/{published.slide_id}/0/{column}/{row}"
        took["tile"].append(asking.ms(tile)[0])
    say(f"frames {first[0] + 1} to {first[-1] + 1}, and {last[-1] + 1:,} to {last[0] + 1:,}")
    yield beside("dicomweb.last_frames", took["last"], "ms", "the first frames", took["first"])
    yield beside("dicomweb.first_frames", took["first"], "ms", "/tiles", took["tile"])


def _lists(asking: _Asking, slide: Slide) -> Iterator[Figure]:
    """Of neighbours, none of which any memory has."""
    count = slide.levels[0].frames
    size = min(LIST, count // (2 * ROUNDS))
    lists, singles = [], []
    for number in range(ROUNDS):
        begin = count // 3 + number * 2 * size
        wanted = ",".join(str(begin + frame) for frame in range(1, size + 1))
        lists.append(asking.ms(f"{_base(slide)}/frames/{wanted}", _IN_PARTS)[0] / size)
        others = range(begin + size + 1, begin + 2 * size + 1)
        each = [asking.ms(f"{_base(slide)}/frames/{frame}", "image/jpeg")[0] for frame in others]
        singles.append(sum(each) / size)
    yield beside("dicomweb.frame_of_a_list", lists, "ms", "frames asked for singly", singles)


def _whole(asking: _Asking, slide: Slide, system: System) -> Iterator[Figure]:
    """The base as one object, read to its end, beside the bare client's stream of it."""
    ours, bare = [], []
    client, key = system.bare_client(), instance_key(slide.id, slide.levels[0].sop_uid)
    for _ in range(2):
        took, came = asking.ms(_base(slide), _DICOM)
        ours.append(came / took / 1000)
        began = time.perf_counter()
        came = sum(len(piece) for piece in obstore.get(client, key).stream(4 << 20))
        bare.append(came / (time.perf_counter() - began) / 1e6)
    yield beside("dicomweb.instance", ours, "MB/s", "obstore get", bare)


def _told(asking: _Asking, slide: Slide) -> Iterator[Figure]:
    for name, path in (
        ("metadata", f"{_at(slide)}/metadata"),
        ("studies", "/dicomweb/studies?PatientName=a*"),
        ("instances", "/dicomweb/instances?includefield=all"),
        ("rendered", f"{_base(slide)}/rendered?viewport=1024,1024"),
    ):
        yield alone(f"dicomweb.{name}", _times(asking, path), "ms")


def _times(asking: _Asking, path: str) -> Sequence[float]:
    return [asking.ms(path)[0] for _ in itertools.repeat(None, ROUNDS)]
