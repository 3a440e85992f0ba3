"""Capacity as tables for spreadsheets.

French ones part columns by semicolons and decimals by a comma, as a French spreadsheet expects,
English ones by commas and a point (RFC 4180). Each answer begins with a byte order mark, without
which spreadsheets misread accents.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from sgi.domain.capacity import StoredMonth
from sgi.domain.forecast import BYTES_PER_TB, Period
from sgi.domain.words import Language

_STORED_HEAD = {
    Language.FRENCH: ("Mois", "Niveau", "Lames", "Taille stockée (To)", "Taille à l’arrivée (To)"),
    Language.ENGLISH: ("Month", "Tier", "Slides", "Stored (TB)", "As they came (TB)"),
}
_TIERS = {
    Language.FRENCH: {"warm": "tiède", "cold": "froid"},
    Language.ENGLISH: {"warm": "warm", "cold": "cold"},
}
_FORECAST_HEAD = {
    Language.FRENCH: (
        "Mois",
        "Lames reçues",
        "Reçu (To, une copie)",
        "Détruit (To, une copie)",
        "Lames conservées",
        "Tiède (To, toutes copies)",
        "Froid (To, toutes copies)",
        "Coût du mois (EUR)",
        "Coût cumulé (EUR)",
    ),
    Language.ENGLISH: (
        "Month",
        "Slides received",
        "Received (TB, one copy)",
        "Destroyed (TB, one copy)",
        "Slides kept",
        "Warm (TB, all copies)",
        "Cold (TB, all copies)",
        "Cost of the month (EUR)",
        "Cost so far (EUR)",
    ),
}


def stored_csv(months: Iterable[StoredMonth], language: Language) -> str:
    """A row for each month and tier; the last column is that of one copy, before it became cold."""
    rows = (
        (
            f"{month.month:%Y-%m}",
            _TIERS[language][month.tier],
            month.slides,
            _tb(month.stored_bytes, language),
            _tb(month.original_bytes, language),
        )
        for month in months
    )
    return _table(_STORED_HEAD[language], rows, language)


def forecast_csv(months: Iterable[Period], language: Language) -> str:
    """A row for each month; costs are empty without prices."""
    rows = (
        (
            f"{month.first_day:%Y-%m}",
            round(month.came.slides),
            _tb(month.came.size_bytes, language),
            _tb(month.destroyed.size_bytes, language),
            round(month.kept.slides),
            _tb(month.stored.warm_bytes, language),
            _tb(month.stored.cold_bytes, language),
            _money(month.cost, language),
            _money(month.cost_since_start, language),
        )
        for month in months
    )
    return _table(_FORECAST_HEAD[language], rows, language)


def _table(head: Sequence[str], rows: Iterable[Sequence[str | int]], language: Language) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if language is Language.FRENCH else ",")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _tb(size_bytes: float, language: Language) -> str:
    return _number(size_bytes / BYTES_PER_TB, 6, language)


def _money(value: float | None, language: Language) -> str:
    return "" if value is None else _number(value, 2, language)


def _number(value: float, digits: int, language: Language) -> str:
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if language is Language.FRENCH else text
