r"""HL7's escape sequences: `\F\`, `\X0D\`, `\.br\` and others (v2.5.1 chapter 2.7).

What is not one is text: a path such as C:\scans stays as it was written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_NUL = "\x00"
_LEFT_OUT = "\ufffd"
"""In place of NUL, which no text of the database may hold."""
_MOST_BLANKS = 80


@dataclass(frozen=True, slots=True)
class Delimiters:
    """MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def msh2(self) -> str:
        return self.component + self.repetition + self.escape + self.subcomponent


USUAL = Delimiters()


def unescape(text: str, delimiters: Delimiters, codec: str) -> str:
    r"""The text that was meant; `codec` is the message's, in which `\Xdd..\` has its bytes."""
    if delimiters.escape in text:
        pattern, replace = _reader(delimiters, codec)
        text = pattern.sub(replace, text)
    return text.replace(_NUL, _LEFT_OUT) if _NUL in text else text


@lru_cache(maxsize=64)
def _reader(
    delimiters: Delimiters, codec: str
) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    e = re.escape(delimiters.escape)
    hexadecimal = rf"(?:{e}X(?:[0-9A-Fa-f]{{2}})+{e})+"  # letters of two bytes come in two of them
    pattern = re.compile(
        rf"(?P<hex>{hexadecimal})|{e}(?:(?P<one>[FSTREHN])|\.(?P<form>[a-z]{{2}})[+-]?(?P<n>\d{{0,3}})){e}"
    )
    plain = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "H": "",  # highlighting begins
        "N": "",
    }

    def replace(match: re.Match[str]) -> str:
        if one := match["one"]:
            return plain[one]
        if form := match["form"]:
            return _formatted(form, match["n"]) if form in _FORMS else match[0]
        digits = re.sub(rf"{e}X?", "", match["hex"])
        return (
            bytes.fromhex(digits).decode(codec, "replace").replace("\r\n", "\n").replace("\r", "\n")
        )

    return pattern, replace


_FORMS = {"br", "sp", "ce", "sk", "fi", "nf", "in", "ti"}


def _formatted(form: str, number: str) -> str:
    """Line breaks and blanks; indents and filling say nothing to us."""
    count = min(int(number or 1), _MOST_BLANKS)
    if form == "sk":
        return " " * count
    if form == "sp":
        return "\n" * count
    return "\n" if form in {"br", "ce"} else ""


@lru_cache(maxsize=64)
def _writer(delimiters: Delimiters) -> dict[int, str | None]:
    e = delimiters.escape
    table: dict[int, str | None] = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
    table[ord("\t")] = " "
    table[ord("\n")] = f"{e}.br{e}"
    for name, letter in (
        ("F", delimiters.field),
        ("S", delimiters.component),
        ("T", delimiters.subcomponent),
        ("R", delimiters.repetition),
        ("E", e),
    ):
        table[ord(letter)] = f"{e}{name}{e}"
    return table


def escape(text: str, delimiters: Delimiters = USUAL) -> str:
    """Text for a field: delimiters escaped, lines as `.br`; other control codes are left out."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_writer(delimiters))
