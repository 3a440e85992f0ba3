"""`/metrics` gives numbers to whom it may, and its text is what Prometheus reads."""

import re
from typing import Any

import pytest
from pydantic import SecretStr

from sgi.settings import MetricsSettings

LINE = re.compile(r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+')


def test_the_text_is_as_prometheus_reads_it(web: Any, slide: Any, here: Any) -> None:
    answer = web.get(web.client(), "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    values = {}
    for line in answer.text.splitlines():
        if not line.startswith("# "):
            assert LINE.fullmatch(line), line
            name, _, value = line.rpartition(" ")
            assert name not in values
            values[name] = float(value)
    assert values["sgi_slides"] >= 1
    assert values["sgi_slides_never_verified"] >= 1
    assert values["sgi_incidents_open"] >= 0
    for secret in (str(slide.id), str(here.id), here.name, slide.file_name):
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("changes", "headers", "status"),
    [
        ({"metrics": MetricsSettings(token=SecretStr("abc"))}, {}, 404),
        ({"metrics": MetricsSettings(token=SecretStr("abc"))}, {"authorization": "Bearer x"}, 404),
        ({"metrics": MetricsSettings(token=SecretStr("abc"))}, {"authorization": "Bearer é"}, 404),
        (
            {"metrics": MetricsSettings(token=SecretStr("abc"))},
            {"authorization": "Bearer abc"},
            200,
        ),
        ({"behind_tls_proxy": True}, {}, 404),
        (
            {"behind_tls_proxy": True, "metrics": MetricsSettings(token=SecretStr("abc"))},
            {"authorization": "Bearer abc"},
            200,
        ),
    ],
)
def test_who_may_read(
    make_web: Any, changes: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    web = make_web(**changes)
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    assert web.get(web.client(), "/metrics", headers=sent).status_code == status


def test_another_machine_may_not_read_without_a_token(web: Any) -> None:
    client = web.client()
    client._transport.client = ("192.0.2.7", 123)
    assert web.get(client, "/metrics").status_code == 404
