"""`sgi hl7 try FILE --interface NAME`: what messages would do, and what they would be answered.

Nothing is changed, and no database is needed.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sgi.domain.french import MESSAGES, in_french
from sgi.domain.words import Language
from sgi.errors import ConfigurationError, SgiError, VanishedError
from sgi.hl7.acknowledge import answer
from sgi.hl7.batches import split_messages
from sgi.hl7.errors import Location, MessageError, MessageTooLargeError
from sgi.hl7.interfaces import (
    BUILT_IN,
    Interface,
    InterfaceKind,
    built_in,
    interfaces_of,
    read_interface,
)
from sgi.hl7.mapping import Reading, read_message, statements_of
from sgi.hl7.message import Message
from sgi.hl7.mllp import HEAD_BYTES
from sgi.hl7.part_names import label
from sgi.hl7.statements import Statement
from sgi.hl7.wording import details, headline
from sgi.settings import Settings

_LARGEST_FILE = 256 << 20
_LONGEST_LINE = 300


def try_messages(
    file: Path,
    interface: Interface,
    language: Language,
    console: Console | None = None,
    now: datetime | None = None,
    *,
    most_bytes: int = 64 << 20,
) -> bool:
    """Print what every message of a file would do; True when all would be taken.

    More than `most_bytes` are refused, as they would be: of a message on the wire, of a whole file
    in a folder. Raises VanishedError where there is no such file.
    """
    if not file.is_file():
        raise VanishedError(f"There is no file {file}; check the name.")
    if file.stat().st_size > max(_LARGEST_FILE, most_bytes):
        raise ConfigurationError(f"{file.name} is too large to be tried; cut it.")
    content = file.read_bytes()
    trial = _Trial(
        interface,
        language,
        console or Console(soft_wrap=True),
        now or datetime.now(UTC),
        most_bytes,
    )
    is_refused_whole = interface.kind is InterfaceKind.FILES and len(content) > most_bytes
    messages = [content] if is_refused_whole else split_messages(content)
    taken = [trial.show(raw, number) for number, raw in enumerate(messages, 1)]
    return bool(taken) and all(taken)


def interface_named(name: str, settings: Settings) -> Interface:
    """An interface by its name, or by the path of its file, which need not be in its place yet.

    Raises ConfigurationError where there is none.
    """
    if name.endswith(".toml"):
        return read_interface(Path(name))
    known = {one.name: one for one in interfaces_of(settings)}
    if name in known:
        return known[name]
    if name in BUILT_IN:
        return built_in(name)
    raise ConfigurationError(
        f"There is no interface {name}; there are {', '.join(sorted({*known, *BUILT_IN}))}."
    )


def language_of_terminal(environment: Mapping[str, str] = os.environ) -> Language:
    """By the locale (POSIX); English where it says nothing of ours."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            french = value[:2].lower() == Language.FRENCH
            return Language.FRENCH if french else Language.ENGLISH
    return Language.ENGLISH


class _Trial:
    """Shows one message after the other."""

    def __init__(
        self,
        interface: Interface,
        language: Language,
        console: Console,
        now: datetime,
        most_bytes: int,
    ) -> None:
        self._interface = interface
        self._language = language
        self._console = console
        self._now = now
        self._most_bytes = most_bytes

    def show(self, raw: bytes, number: int) -> bool:
        """What one would do; True when it would be taken."""
        if len(raw) > self._most_bytes:
            self._say(f"{number}.", "bold")
            self._show_answer(raw[:HEAD_BYTES], self._too_large())
            return False
        message: Message | None = None
        error: SgiError | None = None
        try:
            message = read_message(raw, self._interface)
            self._say(f"{number}. {message.type} {message.control_id}", "bold")
            reading = statements_of(message, self._interface, self._now)
        except SgiError as refused:
            error = refused
            if message is None:
                self._say(f"{number}.", "bold")
        else:
            self._show_reading(reading)
        self._show_answer(message if message is not None else raw, error)
        return error is None

    def _too_large(self) -> MessageTooLargeError:
        most = self._most_bytes >> 20
        if self._interface.kind is InterfaceKind.FILES:
            return MessageTooLargeError(f"The file has more than {most} MiB; send several.")
        return MessageTooLargeError(f"The message has more than {most} MiB; send less.")

    def _show_reading(self, reading: Reading) -> None:
        for statement, places in zip(reading.statements, reading.places, strict=True):
            self._show_statement(statement, places)
        if not reading.statements:
            self._say(f"  {self._word('Rien à faire.', 'There is nothing to do.')}")
        for note in reading.ignored:
            self._say(f"  {self._word('Remarque :', 'Note:')} {self._translated(note)}", "yellow")

    def _show_statement(self, statement: Statement, places: Mapping[str, Location]) -> None:
        self._say(f"  {headline(statement, self._language)}")
        for part, text in details(statement, self._language):
            place = places.get(part) or places.get(f"slide.{part}")
            where = f"  [{place}]" if place is not None else ""
            self._say(f"      {label(part, self._language)}: {text}{where}", "dim")

    def _show_answer(self, asked: Message | bytes, error: SgiError | None) -> None:
        told = answer(
            asked, error, self._now, application=self._interface.application_acknowledgement
        )
        if not told:
            self._say(f"  {self._word('Aucune réponse ne serait envoyée.', 'Not answered.')}")
            return
        if error is not None:
            place = error.location if isinstance(error, MessageError) else None
            where = f" [{place}]" if place is not None else ""
            refused = self._word("Refusé :", "Refused:")
            self._say(f"  {refused} {self._translated(str(error))}{where}", "red")
        self._say(f"  {self._word('Réponse :', 'Answer:')}")
        for line in told.decode("utf-8", "replace").strip("\r").split("\r"):
            self._say(f"      {line}", "dim")

    def _word(self, french: str, english: str) -> str:
        return french if self._language is Language.FRENCH else english

    def _translated(self, sentence: str) -> str:
        if self._language is Language.FRENCH:
            return in_french(sentence, table=MESSAGES) or sentence
        return sentence

    def _say(self, line: str, style: str = "") -> None:
        """Without characters that a terminal would obey."""
        plain = "".join(letter if letter.isprintable() else " " for letter in line)
        self._console.print(Text(plain[:_LONGEST_LINE], style=style))
