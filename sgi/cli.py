"""The `sgi` command; errors are one line on stderr that says what to do next."""

import asyncio
import logging
import signal
import sys
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated
from uuid import UUID

import typer
from pydantic import ValidationError

from dicom.errors import DicomError
from sgi.commands.form import Form
from sgi.domain.account import PersonRole, Role
from sgi.errors import SgiError
from sgi.machine import located
from sgi.settings import Settings
from storage.errors import StorageError
from tiling.errors import TilingError

cli = typer.Typer(
    help="SGI: from the scanner's file to the pathologist's browser.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

establishment = typer.Typer(help="The laboratories that share this SGI.", no_args_is_help=True)
cli.add_typer(establishment, name="establishment")
account = typer.Typer(help="Local accounts.", no_args_is_help=True)
cli.add_typer(account, name="account")
hl7 = typer.Typer(help="The link to the laboratory's system (HL7 v2).")
cli.add_typer(hl7, name="hl7")
launch = typer.Typer(help="Systems that open cases here by links.", no_args_is_help=True)
cli.add_typer(launch, name="launch")


def main() -> None:
    """Run the command; exit code 0 only for what was really done."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("procrastinate", "alembic", "httpx", "watchfiles"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        cli()
    except (SgiError, TilingError, DicomError, StorageError) as error:
        sys.exit(f"sgi: {error}")
    except ValidationError as error:
        first = error.errors()[0]
        name = "SGI_" + "__".join(str(part) for part in first["loc"]).upper()
        sys.exit(f"sgi: {name} is not right: {first['msg']}.")
    except OSError as error:
        sys.exit(f"sgi: {error.strerror or type(error).__name__}: {error.filename or ''}")
    except Exception as error:
        advice = _about_database(error)
        if advice is None:
            raise
        sys.exit(f"sgi: the database {advice}")


def _about_database(error: Exception) -> str | None:
    """What is to be done about an error of the database; None for any other.

    Its driver is slow to load, and commands that need no database run without it.
    """
    import psycopg
    import psycopg_pool

    # What a database says that was never migrated, or not to this version.
    not_migrated = (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedFunction,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.UndefinedObject,
        psycopg.errors.InvalidParameterValue,  # the role is missing
    )
    if isinstance(error, not_migrated):
        return "is not ready: run `sgi migrate` or start `sgi up`."
    if isinstance(error, psycopg_pool.PoolTimeout):  # the pool hides why
        return (
            "does not answer, or is not ready: start `sgi up`, check SGI_DATABASE__URL, or run "
            "`sgi migrate`."
        )
    if isinstance(error, psycopg.OperationalError):
        return "does not answer: start `sgi up`, or check SGI_DATABASE__URL."
    return None


@cli.command()
def up() -> None:
    """Run everything on this machine: engines where none are set, server, worker, watcher."""
    _run_up(sample=False)


@cli.command()
def demo() -> None:
    """`sgi up`, with a sample slide put through the drop folder."""
    _run_up(sample=True)


def _run_up(*, sample: bool) -> None:
    from sgi.commands.demo import put_sample
    from sgi.commands.up import Up

    stopping: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        if not stopping:
            print("stopping…", file=sys.stderr, flush=True)  # noqa: T201 - a person pressed Ctrl-C
        stopping.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    everything = Up(Settings(), lambda: bool(stopping))
    try:
        everything.start()
        if sample and not stopping:
            put_sample(everything)
        if not stopping:
            print(everything.sign_in(), flush=True)  # noqa: T201 - the line that people wait for
        everything.run()
    finally:
        everything.stop()


@cli.command()
def serve() -> None:
    """The web server: REST, tiles and the viewer."""
    from sgi.commands.serve import serve as run

    run(located(Settings()))


@cli.command()
def worker() -> None:
    """Convert what has arrived, and look after what is stored, until stopped."""
    from sgi.app import database_url
    from sgi.stores import open_stores
    from sgi.worker import work

    settings = located(Settings())
    asyncio.run(work(settings, database_url(settings), open_stores(settings)))


@cli.command()
def watch() -> None:
    """Watch the drop folder, until stopped."""
    from sgi.app import database_url
    from sgi.ingest.watcher import watch_drop_folder

    settings = located(Settings())
    asyncio.run(watch_drop_folder(settings, database_url(settings)))


@hl7.callback(invoke_without_command=True)
def serve_interfaces(context: typer.Context) -> None:
    """Every interface with the laboratory's system: listen, and tell what waits, until stopped."""
    if context.invoked_subcommand is not None:
        return
    from sgi.app import database_url
    from sgi.commands.hl7 import serve_hl7

    settings = located(Settings())
    asyncio.run(serve_hl7(settings, database_url(settings)))


@hl7.command("try")
def try_interface(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Messages, one or many.")],
    interface: Annotated[
        str, typer.Option(help="An interface's name, or the path of its file.")
    ] = "sgl",
) -> None:
    """Say what messages would do, and what they would be answered; nothing is done."""
    from sgi.commands.hl7_try import interface_named, language_of_terminal, try_messages

    settings = Settings()
    chosen = interface_named(interface, settings)
    most_bytes = settings.hl7.message_mb << 20
    if not try_messages(file, chosen, language_of_terminal(), most_bytes=most_bytes):
        raise typer.Exit(1)


@cli.command()
def migrate() -> None:
    """Bring the database to the version that this SGI needs."""
    from sgi.app import database_url
    from sgi.catalogue.migrate import migrate as run

    before, now = run(database_url(located(Settings())))
    typer.echo(f"already at {now}" if before == now else f"migrated from {before} to {now}")


@establishment.command("add")
def add_establishment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As people call it.")],
) -> None:
    """Add a laboratory that shares this SGI and sees nothing of the others."""
    from sgi.app import database_url
    from sgi.commands import establishment as run

    asyncio.run(run.add_establishment(database_url(located(Settings())), name))
    typer.echo(f"added; add its first account: sgi account add --establishment '{name.strip()}'")


@establishment.command("list")
def list_establishments() -> None:
    """Print their names, the first one first."""
    from sgi.app import database_url
    from sgi.commands import establishment as run

    for name in asyncio.run(run.names(database_url(located(Settings())))):
        typer.echo(name)


_OF = Annotated[str, typer.Option("--establishment", help="Its name; the first by default.")]


@account.command("add")
def add_account(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the person signs in with.")],
    role: Annotated[PersonRole, typer.Option(help="What the account is for.")],
    establishment: _OF = "",
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask for a password, rather than make one and print it.")
    ] = False,
) -> None:
    """Add an account: two people are needed to destroy a slide."""
    from sgi.app import database_url
    from sgi.commands import account as run

    password = (
        typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        if ask
        else run.new_password()
    )
    url = database_url(located(Settings()))
    asyncio.run(run.add_account(url, name, Role(role), password, establishment))
    typer.echo(f"{name} may sign in" if ask else f"{name} may sign in with password {password}")


_SYSTEM = Annotated[str, typer.Argument(metavar="NAME", help="Of the system, such as dpath.")]


@launch.command("add")
def add_launch_client(name: _SYSTEM, establishment: _OF = "") -> None:
    """Let a system ask for links that open one case once; prints its token, this once."""
    from sgi.app import database_url
    from sgi.commands import launch as run

    token = asyncio.run(run.add_client(database_url(located(Settings())), name, establishment))
    typer.echo(f"{name} may ask for links with token {token}")


@launch.command("end")
def end_launch_client(name: _SYSTEM, establishment: _OF = "") -> None:
    """Its token, its links and the sessions of its guests end at once."""
    from sgi.app import database_url
    from sgi.commands import launch as run

    asyncio.run(run.end_client(database_url(located(Settings())), name, establishment))
    typer.echo(f"{name} may ask for nothing any more")


@cli.command()
def ingest(
    files: Annotated[list[Path], typer.Argument(help="Scanner files.", metavar="FILE…")],
) -> None:
    """Put files through the drop folder and wait for their slides; the originals stay."""
    from sgi.app import database_url
    from sgi.commands.ingest import ingest_files

    settings = located(Settings())
    if not asyncio.run(ingest_files(settings, database_url(settings), files)):
        raise typer.Exit(1)


@cli.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A scanner's file.")],
    target: Annotated[Path, typer.Argument(metavar="DST", help="A new folder.")],
    to: Annotated[Form, typer.Option(help="DICOM files, or an OME-Zarr: DST.zarr.")] = Form.DICOM,
) -> None:
    """Convert one file to DICOM WSI in a folder, or to a sharded OME-Zarr 0.5."""
    from sgi.commands.convert import convert_file

    convert_file(source, target, Settings().ingest, to)


@cli.command()
def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A scanner's file.")],
) -> None:
    """Say what a file is: format, levels, scale, scanner, associated images."""
    from sgi.commands.info import show_info

    show_info(file, Settings().ingest)


@cli.command()
def verify(
    slides: Annotated[
        list[UUID] | None, typer.Argument(metavar="SLIDE…", help="Slides by id; all without.")
    ] = None,
    repair: Annotated[
        bool, typer.Option(help="Put right what the second copy, or the manifest, knows.")
    ] = True,
    mb_per_s: Annotated[
        float | None, typer.Option(help="Pace in MB a second; as fast as it goes without.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Read every stored slide again, compare it with what was written, and repair it."""
    from sgi.app import database_url
    from sgi.commands.verify import verify_slides
    from sgi.stores import open_stores

    settings = located(Settings())
    url, stores = database_url(settings), open_stores(settings)
    verifying = verify_slides(
        url,
        stores,
        slides or (),
        repair=repair,
        mb_per_s=mb_per_s,
        as_json=as_json,
        cache=settings.cache,
    )
    if not asyncio.run(verifying):
        raise typer.Exit(1)


@cli.command()
def check(
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also what takes a thousand requests.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Ask the object stores whether they keep the promises that slides rely on."""
    from sgi.commands.check import check_stores
    from sgi.stores import open_stores

    stores = open_stores(located(Settings()))
    if not check_stores(stores, thorough=thorough, as_json=as_json):
        raise typer.Exit(1)


@cli.command()
def rebuild(
    missing: Annotated[
        bool, typer.Option("--missing", help="Add to a catalogue in use what it lacks.")
    ] = False,
) -> None:
    """Make the whole catalogue again, into an empty database, from the object store alone."""
    from sgi.app import database_url
    from sgi.commands.rebuild import rebuild_catalogue
    from sgi.stores import open_stores

    settings = located(Settings())
    url, stores = database_url(settings), open_stores(settings)
    if not asyncio.run(rebuild_catalogue(url, stores, missing=missing)):
        raise typer.Exit(1)


@cli.command()
def backup(
    once: Annotated[bool, typer.Option(help="One set now, rather than until stopped.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Say what can be recovered.")] = False,
) -> None:
    """Back the database up into SGI_BACKUP__FOLDER, all the time."""
    from sgi.commands import backup as run

    settings = located(Settings())
    if show:
        run.list_sets(settings)
    elif once:
        run.back_up_once(settings)
    else:
        stopping: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: stopping.append(number))
        run.keeper(settings).run(lambda: bool(stopping))


@cli.command()
def recover(
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S"],
            help="The last moment to bring back; all that was backed up otherwise.",
        ),
    ] = None,
) -> None:
    """Bring the embedded database back from SGI_BACKUP__FOLDER; `sgi up` must not run."""
    from sgi.commands.backup import recover_database

    recover_database(Settings(), until)


@cli.command(context_settings={"ignore_unknown_options": True})
def bench(
    name: Annotated[
        str, typer.Argument(help="formats, ingest or tiles; see benchmarks/README.md.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per figure.")] = False,
) -> None:
    """Measure this SGI beside its peers, on this machine."""
    from sgi.commands.bench import bench as run

    run(name, as_json=as_json)
