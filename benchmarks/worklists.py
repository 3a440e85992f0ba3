"""Every worklist of a laboratory of ten years, as pathologists ask for them: how long each takes.

`SGI_BENCH_SLIDES` says how many glass slides it has; `SGI_BENCH_CATALOGUE`, in which folder it is
kept and found again, with as many as it was made with. The questions go through the walls, as the
application's role, and nothing is asked twice.
"""

import asyncio
import contextlib
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from benchmarks.figures import Figure
from benchmarks.run import say
from benchmarks.worklist_cases import make_cases
from sgi.catalogue import worklists
from sgi.catalogue.database import Connection, Database
from sgi.catalogue.migrate import migrate
from sgi.domain.case import CaseState, Priority
from sgi.domain.worklist import CaseFilter, Order, Worklist
from sgi.engines.postgres import EmbeddedPostgres
from sgi.errors import ConfigurationError

_PAGE = 61
"""One more than is shown."""
_TIMES = 200
_BEFORE = 50
"""Asked before it is measured: the pages that everybody reads are in memory after a day's work."""
_FURTHER_PAGES = 40
_LIMIT_MS = 50.0


@dataclass(frozen=True, slots=True)
class _House:
    """What questions are about."""

    establishment: UUID
    accounts: list[UUID]
    surnames: list[str]
    """Drawn from patients: common ones come often."""
    rare: list[str]
    given: list[str]
    accessions: list[str]
    identifiers: list[str]
    births: list[str]
    chance: random.Random

    def one(self, of: list[str]) -> str:
        return self.chance.choice(of)


Ask = Callable[[Connection], Awaitable[object]]


def measure() -> list[Figure]:
    """Medians and 95th percentiles in milliseconds, beside the limit that is promised."""
    kept = os.environ.get("SGI_BENCH_CATALOGUE")
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="sgi-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    engine = EmbeddedPostgres(folder / "postgres")
    try:
        url = engine.start()
        with psycopg.connect(url) as connection:
            house = _house(connection, _filled(connection, url, folder / "establishment"))
        return asyncio.run(_measure(url, house))
    finally:
        engine.stop()
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _filled(connection: "psycopg.Connection[tuple[object, ...]]", url: str, whose: Path) -> UUID:
    """The establishment that has nearly all cases; `whose` names it once they are there."""
    if whose.exists():
        return UUID(whose.read_text())
    slides = _slides()
    migrate(url)
    say(f"{slides:,} slides are made; that takes a minute for a million")
    establishment = make_cases(connection, slides)
    whose.write_text(str(establishment))
    return establishment


def _slides() -> int:
    said = os.environ.get("SGI_BENCH_SLIDES", "1000000")
    if not said.isdigit() or not 10_000 <= int(said) <= 100_000_000:
        raise ConfigurationError("SGI_BENCH_SLIDES is a number from 10,000 to 100,000,000.")
    return int(said)


def _house(connection: "psycopg.Connection[tuple[object, ...]]", establishment: UUID) -> _House:
    def column(question: str) -> list[str]:
        return [str(row[0]) for row in connection.execute(question.encode(), [establishment])]

    drawn = "where establishment_id = %s and random() < 0.01 limit 2000"
    return _House(
        establishment=establishment,
        accounts=[
            UUID(each) for each in column("select id from account where establishment_id = %s")
        ],
        surnames=column(f"select birth_name from patient {drawn}"),
        rare=column(
            f"""select birth_name from (select birth_name from patient {drawn}) few
                group by birth_name having count(*) = 1"""
        ),
        given=column(f"select first_given_name from patient {drawn}"),
        accessions=column(f"select accession_number from lab_case {drawn}"),
        identifiers=column(f"select value from patient_identifier {drawn}"),
        births=column(f"select to_char(birth_date, 'DD/MM/YYYY') from patient {drawn}"),
        chance=random.Random(1),
    )


async def _measure(url: str, house: _House) -> list[Figure]:
    figures = []
    async with Database(url, size=2) as database:
        for name, ask in _questions(house).items():
            took, waited = [], []
            for _ in range(_BEFORE + _TIMES):
                async with database.transaction(house.establishment) as connection:
                    before = _waited_ms(connection)
                    began = time.perf_counter()
                    await ask(connection)
                    took.append(1e3 * (time.perf_counter() - began))
                    waited.append(_waited_ms(connection) - before)
            del took[:_BEFORE], waited[:_BEFORE]
            alone = [max(0.0, ms - less) for ms, less in zip(took, waited, strict=True)]
            of_all, of_alone = _ninety_fifth(took), _ninety_fifth(alone)
            say(f"{name}: {statistics.median(took):.1f} ms, p95 {of_all:.1f} ms, {of_alone:.1f} ms")
            figures += [
                Figure(f"worklists.{name}.p50", statistics.median(took), "ms"),
                Figure(f"worklists.{name}.p95", of_all, "ms", "promised", _LIMIT_MS),
                Figure(f"worklists.{name}.p95_alone", of_alone, "ms", "promised", _LIMIT_MS),
            ]
    return figures


def _ninety_fifth(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def _waited_ms(connection: Connection) -> float:
    """How long this process and the server's have waited for a processor that others had.

    Nothing where the kernel does not say, or the server is on another machine.
    """
    waited = 0.0
    for process in ("self", connection.info.backend_pid):
        with contextlib.suppress(OSError):
            waited += int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e6
    return waited


def _questions(house: _House) -> dict[str, Ask]:
    questions: dict[str, Ask] = {
        "counts": lambda connection: worklists.counts(
            connection, house.chance.choice(house.accounts)
        )
    }
    for worklist in Worklist:
        questions[str(worklist)] = _asking(house, worklist, CaseFilter)
    for order in Order:
        questions[f"open.by_{order}"] = _asking(house, Worklist.OPEN, CaseFilter, order)
    for worklist in (Worklist.OPEN, Worklist.ALL):
        questions[f"{worklist}.further_pages"] = _further(house, worklist)
        for name, draw in _searches(house).items():
            questions[f"{worklist}.{name}"] = _asking(house, worklist, draw)
    questions["mine.surname"] = _asking(
        house, Worklist.MINE, lambda: CaseFilter(text=house.one(house.surnames))
    )
    return questions


def _searches(house: _House) -> dict[str, Callable[[], CaseFilter]]:
    def text(*drawn: list[str], cut: int | None = None) -> Callable[[], CaseFilter]:
        return lambda: CaseFilter(text=" ".join(house.one(each)[:cut] for each in drawn))

    organs = [f"Organe {number}" for number in range(1, 41)]
    stains = [f"Coloration {number}" for number in range(1, 31)]
    lately = datetime.now(UTC) - timedelta(days=365)
    return {
        "surname": text(house.surnames),
        "rare_surname": text(house.rare),
        "beginning_of_surname": text(house.surnames, cut=3),
        "two_letters": text(house.surnames, cut=2),
        "surname_and_given": text(house.surnames, house.given),
        "organ_and_stain": text(organs, stains),
        "surname_and_stain": text(house.rare, stains),
        "accession": text(house.accessions),
        "beginning_of_accession": text(house.accessions, cut=6),
        "identifier": text(house.identifiers),
        "birth_date": text(house.births),
        "nothing": lambda: CaseFilter(text=f"zzz{house.chance.random()}"),
        "slide": lambda: CaseFilter(text=house.one(house.accessions) + ".A.01.02"),
        "state": lambda: CaseFilter(states=(house.chance.choice(list(CaseState)),)),
        "stat": lambda: CaseFilter(priority=Priority.STAT),
        "account": lambda: CaseFilter(account_id=house.chance.choice(house.accounts)),
        "organ": lambda: CaseFilter(organ=house.one(organs)),
        "surname_of_a_pathologist": lambda: CaseFilter(
            text=house.one(house.surnames), account_id=house.chance.choice(house.accounts)
        ),
        "surname_lately": lambda: CaseFilter(text=house.one(house.surnames), received_from=lately),
    }


def _asking(
    house: _House,
    worklist: Worklist,
    draw: Callable[[], CaseFilter],
    order: Order | None = None,
) -> Ask:
    async def ask(connection: Connection) -> object:
        account = house.chance.choice(house.accounts)
        return await worklists.page(connection, worklist, account, draw(), order=order, limit=_PAGE)

    return ask


def _further(house: _House, worklist: Worklist) -> Ask:
    """A page some way down, wherever a list happens to have been left."""
    places: list[worklists.Position | None] = [None]

    async def ask(connection: Connection) -> object:
        account = house.chance.choice(house.accounts)
        found = await worklists.page(
            connection, worklist, account, CaseFilter(), after=places[-1], limit=_PAGE
        )
        is_last = len(found) < _PAGE or len(places) % _FURTHER_PAGES == 0
        places.append(None if is_last else worklists.position_of(found[-1], worklist, None))
        return found

    return ask
