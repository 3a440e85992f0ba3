"""What a benchmark says: named numbers, each beside a peer's where there is one."""

import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One number; `peer_value` has the same unit."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return self.value / self.peer_value if self.peer_value else None

    def as_json(self) -> str:
        """One line."""
        return json.dumps(
            {
                "name": self.name,
                "value": _rounded(self.value),
                "unit": self.unit,
                "peer": self.peer,
                "peer_value": _rounded(self.peer_value),
                "ratio": _rounded(self.ratio),
            }
        )


def beside(
    name: str, ours: Sequence[float], unit: str, peer: str, peers: Sequence[float]
) -> Figure:
    """The medians of two series of runs."""
    return Figure(name, statistics.median(ours), unit, peer, statistics.median(peers))


def alone(name: str, runs: Sequence[float], unit: str) -> Figure:
    """The median of a series that has no peer."""
    return Figure(name, statistics.median(runs), unit)


def print_figures(title: str, figures: Iterable[Figure], *, as_json: bool) -> None:
    """A table for people, or one JSON object a line."""
    if as_json:
        for figure in figures:
            print(figure.as_json(), flush=True)
        return
    table = Table(title=title, title_justify="left")
    table.add_column("figure", no_wrap=True)
    for column in ("value", "unit"):
        table.add_column(column, justify="right" if column == "value" else "left")
    table.add_column("peer", no_wrap=True)
    table.add_column("its value", justify="right")
    table.add_column("ratio", justify="right", style="bold")
    for figure in figures:
        table.add_row(
            figure.name,
            _shown(figure.value),
            figure.unit,
            figure.peer or "",
            _shown(figure.peer_value),
            _shown(figure.ratio),
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _rounded(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.5g}")


def _shown(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
