"""Other people's DICOMweb clients in front of the application, without a socket between."""

import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import requests
from dicomweb_client.api import DICOMwebClient

from sgi.catalogue.database import Database
from sgi.domain.slide import Slide
from sgi.keeping.headers import Headers
from sgi.keeping.records import Records
from sgi.stores import Stores

FOLDER = "/dicomweb"


class InProcess(requests.adapters.BaseAdapter):
    """Hands requests to the application as the signed-in browser would."""

    def __init__(self, web: Any, client: httpx.AsyncClient) -> None:
        super().__init__()
        self._web, self._client = web, client
        self._one_at_a_time = threading.Lock()
        self.sent: list[httpx.Response] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """One request, answered whole."""
        assert request.url
        assert request.method
        asked = self._client.request(
            request.method, request.url, headers=dict(request.headers), content=request.body
        )
        with self._one_at_a_time:  # clients have threads, the application's loop is one
            answer: httpx.Response = self._web.run(asked)
        self.sent.append(answer)
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers = requests.structures.CaseInsensitiveDict(answer.headers)
        response.raw = io.BytesIO(answer.content)
        response.request, response.url = request, request.url
        return response

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def put_on_record(database: Database, run: Any, store: Any) -> Callable[[Slide], None]:
    """What the worker does with a slide that it has published."""
    records = Records(database, Headers(Stores(store)))
    return lambda slide: run(records.put(slide))


@pytest.fixture
def publish_searched(
    publish: Callable[..., Slide], put_on_record: Callable[[Slide], None]
) -> Callable[..., Slide]:
    """On record, as the worker leaves a slide."""

    def make(*arguments: Any, **named: Any) -> Slide:
        slide = publish(*arguments, **named)
        put_on_record(slide)
        return slide

    return make


@pytest.fixture
def slide(here: Any, store: Any, publish_searched: Callable[..., Slide]) -> Slide:
    return publish_searched(here, store)


@pytest.fixture
def session(web: Any, client: httpx.AsyncClient) -> Iterator[requests.Session]:
    """A session of requests, signed in."""
    with requests.Session() as made:
        made.mount(web.base_url, InProcess(web, client))
        yield made


@pytest.fixture
def dicomweb(web: Any, session: requests.Session) -> DICOMwebClient:
    """dicomweb-client, signed in."""
    return DICOMwebClient(web.base_url + FOLDER, session=session)


@pytest.fixture
def get(web: Any, client: httpx.AsyncClient) -> Callable[..., httpx.Response]:
    """Asks below `/dicomweb`, signed in: `get("/studies", accept, **query)`."""

    def ask(path: str, accept: str | None = None, **query: Any) -> httpx.Response:
        headers = {} if accept is None else {"accept": accept}
        found: httpx.Response = web.get(client, FOLDER + path, headers=headers, params=query)
        return found

    return ask


@pytest.fixture
def series_path(slide: Slide) -> str:
    return f"/studies/{slide.study_uid}/series/{slide.series_uid}"


@pytest.fixture
def base_path(slide: Slide, series_path: str) -> str:
    """Of the base's instance."""
    return f"{series_path}/instances/{slide.levels[0].sop_uid}"
