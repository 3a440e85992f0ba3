"""`sgi check`: whether the stores keep the promises that slides rely on, for a person."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from sgi.proved_stores import named
from sgi.stores import Stores
from storage.errors import StorageError
from storage.probe import Finding, Need, Result, probe

_LOOKS = {
    (Need.NEEDED, Result.FAILED): "[bold red]failed[/]",
    (Need.USEFUL, Result.FAILED): "[yellow]failed[/]",
}


def check_stores(stores: Stores, *, thorough: bool = False, as_json: bool = False) -> bool:
    """Probe each store and print what was found; True when all are safe for slides."""
    safe, told = True, []
    console = Console(stderr=as_json)
    for name, store in named(stores):
        with console.status(f"asking the {name} store"):
            try:
                findings = probe(store, thorough=thorough)
            except StorageError as error:
                findings = [Finding("it can be used", Need.NEEDED, Result.FAILED, str(error))]
        safe = safe and not any(finding.forbids_use for finding in findings)
        told += [{"store": name, **asdict(finding)} for finding in findings]
        if not as_json:
            _show(name, findings, Console(width=None if console.is_terminal else 120))
    if as_json:
        print(json.dumps({"safe": safe, "findings": told}))  # noqa: T201 - what was asked for
    elif not safe:
        console.print("Slides are not safe here: `sgi worker` does not start on such a store.")
    return safe


def _show(name: str, findings: list[Finding], console: Console) -> None:
    table = Table(title=f"The {name} store", title_justify="left")
    for column in ("promise", "", "kept", "measured, or what to do"):
        table.add_column(column)
    for finding in findings:
        looks = _LOOKS.get((finding.need, finding.result), finding.result.value)
        table.add_row(finding.promise, finding.need.value, looks, finding.says)
    console.print(table)
