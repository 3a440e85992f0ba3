"""The official validator of the IIIF Image API, version 3.0 at level 2, against a server."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest
from iiif_validator import validator
from iiif_validator.validator import ImageAPI, ValidationInfo

from sgi.domain.slide import Slide
from tiling.array_slide import ArraySlide
from tiling.geometry import Size
from tiling.slide import OpticalPath

VERSION, LEVEL = "3.0", 2
SQUARE = 100
ORIGIN = "http://iiif.io"
"""Where the validator says that it comes from, but for a slash."""
EXCEPTIONS = {
    "cors": "It wants every site to be let in (`*`); an origin that is named is let in here.",
    "size_noup": "It wants `!w,h` beyond the region refused; section 4.2 wants the region itself.",
}
NAMES = sorted(
    name
    for name, told in validator.TestSuite(ValidationInfo()).list_tests(VERSION).items()
    if told["level"] <= LEVEL
)


@pytest.fixture(scope="module")
def squares() -> ArraySlide:
    """The validator's test image: ten by ten squares of colours that it knows."""
    colours = np.array(ValidationInfo().colorInfo, np.uint8).transpose(1, 0, 2)
    image = colours.repeat(SQUARE, axis=0).repeat(SQUARE, axis=1)
    return ArraySlide(image[None, None], [OpticalPath()], tile=Size(256, 256))


@pytest.fixture
def ask(
    make_web: Callable[..., Any],
    here: Any,
    store: Any,
    publish_reader: Callable[..., Slide],
    squares: ArraySlide,
) -> Iterator[Callable[[], ImageAPI]]:
    """A client of the validator; the server's socket adds the session, as a browser would."""
    web = make_web(viewer_origins=(ORIGIN,))
    client = web.signed_in(here)
    slide = publish_reader(here, store, squares)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name: value.rstrip("/") for name, value in self.headers.items()}
            answer = web.run(client.request(self.command, self.path, headers=headers))
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        address = f"127.0.0.1:{listening.server_port}"
        yield lambda: ImageAPI(str(slide.id), address, "iiif/3", version=VERSION, debug=False)
        listening.shutdown()
        thread.join()


def test_every_check_of_level_2_passes(ask: Callable[[], ImageAPI]) -> None:
    assert len(NAMES) >= 25
    failed = {}
    for name in NAMES:
        asking = ask()
        try:
            validator.TestSuite(ValidationInfo()).run_test(name, asking)
        except Exception as error:
            failed[name] = repr(error)
        else:
            if asking.exception is not None:
                failed[name] = str(asking.exception)
    assert failed.keys() == EXCEPTIONS.keys(), failed
    assert ORIGIN in failed["cors"], "the origin alone is named"
