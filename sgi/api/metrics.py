"""`/metrics`: numbers for a monitor, in the text format of Prometheus; never a name or an id.

They come from the catalogue when they are asked for: a tile costs nothing more for them, and every
process of every host gives the same answer.
"""

import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sgi.api.services import Services, services_of
from sgi.catalogue import identities, integrity, interfaces
from sgi.domain.interface import STOPPED
from sgi.errors import NotFoundError

router = APIRouter(include_in_schema=False)
_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, object]


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Answers whoever has the token; without one, this machine alone. Nobody else learns of it."""
    services = services_of(request)
    if not _may_read(request, services):
        raise NotFoundError("There is no such route.")
    async with services.database.anonymous() as connection:
        figures = await integrity.figures(connection)
        of_interfaces = await interfaces.figures(connection)
        of_identities = await identities.figures(connection)
        now = await interfaces.now(connection)
    told = text(figures, services) + text_of_interfaces(of_interfaces, now)
    told += text_of_identities(of_identities)
    return Response(told, media_type=_MEDIA_TYPE)


def _may_read(request: Request, services: Services) -> bool:
    token = services.settings.metrics.token
    if token is not None:
        wanted = f"Bearer {token.get_secret_value()}".encode()
        return hmac.compare_digest(request.headers.get("authorization", "").encode(), wanted)
    if services.settings.behind_tls_proxy:  # everybody comes from this machine then
        return False
    try:
        return ipaddress.ip_address(request.scope["state"]["address"]).is_loopback
    except ValueError:
        return False


def text(figures: Mapping[str, Any], services: Services) -> str:
    """The figures as `sgi_…` metrics."""
    oldest = figures["oldest_verified_at"]
    scrub = services.settings.scrub
    return "".join(
        [
            _metric("sgi_slides", "Published slides.", figures["slides"]),
            _metric(
                "sgi_slides_never_verified",
                "Slides that no scrub has read yet.",
                figures["never_verified"],
            ),
            _metric(
                "sgi_oldest_verification_timestamp_seconds",
                "When the slide that was verified longest ago was verified.",
                None if oldest is None else oldest.timestamp(),
            ),
            _metric(
                "sgi_slides_not_copied", "Slides without a second copy.", figures["not_copied"]
            ),
            _metric(
                "sgi_second_copy",
                "1 when a second store is set.",
                services.stores.second is not None,
            ),
            _metric("sgi_scrub_bytes_per_second", "Pace that is set.", scrub.mb_per_s * 1e6),
            _metric("sgi_scrub_period_seconds", "Goal that is set.", scrub.period_days * 86_400),
            *(
                _metric(
                    f"sgi_scrubbed_{what}_total",
                    f"{what.capitalize()} read again and compared.",
                    figures[f"scrubbed_{what}"],
                    kind="counter",
                )
                for what in ("slides", "objects", "bytes")
            ),
            _family(
                "sgi_incidents",
                "Objects that were not what was written.",
                (
                    ({"damage": row["kind"], "state": row["state"]}, row["incidents"])
                    for row in figures["incidents"]
                ),
            ),
            _metric(
                "sgi_incidents_open",
                "Of these, those that nobody has looked at.",
                sum(row["incidents"] for row in figures["incidents"] if row["state"] == "open"),
            ),
            _family(
                "sgi_arrivals",
                "Files on their way in, or stopped.",
                (({"state": row["state"]}, row["arrivals"]) for row in figures["arrivals"]),
            ),
            _family(
                "sgi_jobs",
                "Jobs that wait, run, or have failed.",
                (
                    ({"queue": row["queue"], "status": row["status"]}, row["jobs"])
                    for row in figures["jobs"]
                ),
            ),
        ]
    )


def text_of_interfaces(figures: Mapping[str, Any], now: datetime) -> str:
    """What went through the interfaces, and what waits to."""
    notices = figures["notices"]
    waiting = [row for row in notices if row["state"] not in STOPPED]
    oldest = min((row["oldest_at"] for row in waiting), default=now)
    return "".join(
        [
            _family(
                "sgi_messages_day",
                "Messages of the last 24 hours.",
                (
                    ({"direction": row["direction"], "outcome": row["outcome"]}, row["messages"])
                    for row in figures["messages"]
                ),
            ),
            _metric(
                "sgi_notices_waiting",
                "Notices that wait to be told.",
                sum(row["notices"] for row in waiting),
            ),
            _metric(
                "sgi_notices_oldest_seconds",
                "Since when the oldest of them waits; 0 where none does.",
                round(max(0.0, (now - oldest).total_seconds()), 3),
            ),
            _metric(
                "sgi_notices_stopped",
                "Notices that were refused or tried too often: a person must look.",
                sum(row["notices"] for row in notices if row["state"] in STOPPED),
            ),
        ]
    )


def text_of_identities(figures: Mapping[str, int]) -> str:
    """Slides whose instances do not say yet whose they are said to be."""
    return "".join(
        [
            _metric(
                "sgi_identities_waiting",
                "Slides that wait to be told anew for more than a minute.",
                figures["waiting"],
            ),
            _metric(
                "sgi_identities_withheld",
                "Of these, those that still name another patient and are not told meanwhile.",
                figures["withheld"],
            ),
        ]
    )


def _metric(name: str, about: str, value: float | None, kind: str = "gauge") -> str:
    return _family(name, about, [] if value is None else [({}, value)], kind)


def _family(
    name: str, about: str, samples: Iterable[tuple[Labels, float]], kind: str = "gauge"
) -> str:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        told = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items())
        lines.append(f"{name}{{{told}}} {_number(value)}" if told else f"{name} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
