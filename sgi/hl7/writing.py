"""Messages out: fields by their number, escaped, in the encoding that MSH-18 names.

A field is None or text; a tuple is its components (one of them a tuple: its subcomponents); a list
is its repetitions.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sgi.hl7.encodings import Charset, encode
from sgi.hl7.escapes import USUAL, Delimiters, escape

Leaf = str | None
ComponentOut = Leaf | tuple[Leaf, ...]
RepetitionOut = Leaf | tuple[ComponentOut, ...]
FieldOut = RepetitionOut | list[RepetitionOut]


def segment(name: str, fields: Mapping[int, FieldOut], delimiters: Delimiters = USUAL) -> str:
    """One segment, without its CR; `segment("SPM", {1: "1", 2: ("A", "B"), 27: "GLASS"})`."""
    written = [name]
    first = 1
    if name == "MSH":
        written = [name, delimiters.msh2]
        first = 3
    last = max(fields, default=0)
    written += [_field(fields.get(number), delimiters) for number in range(first, last + 1)]
    while len(written) > 1 and not written[-1]:
        written.pop()
    return delimiters.field.join(written)


def header(
    *,
    sender: tuple[str, str],
    receiver: tuple[str, str],
    sent_at: datetime,
    type_: tuple[str, ...],
    control_id: str,
    charset: Charset = Charset.UTF_8,
    version: str | tuple[str, ...] = "2.5.1",
    processing: str = "P",
    country: str | None = "FRA",
    enhanced: bool = False,
    profiles: FieldOut = None,
) -> str:
    """MSH; `sender` and `receiver` are application and facility, `sent_at` has an offset."""
    return segment(
        "MSH",
        {
            3: sender[0],
            4: sender[1],
            5: receiver[0],
            6: receiver[1],
            7: timestamp(sent_at),
            9: type_,
            10: control_id,
            11: processing,
            12: version,
            15: "AL" if enhanced else None,
            16: "AL" if enhanced else None,
            17: country,
            18: charset.value,
            21: profiles,
        },
    )


def timestamp(moment: datetime) -> str:
    """A DTM to the second, with its offset: 20260612101500+0200."""
    return moment.strftime("%Y%m%d%H%M%S%z")


def write_message(segments: Iterable[str], charset: Charset = Charset.UTF_8) -> bytes:
    """The bytes of a message, each segment ended by CR; the first one is `header(…)`."""
    return encode("".join(f"{line}\r" for line in segments), charset)


def _field(field: FieldOut, delimiters: Delimiters) -> str:
    if isinstance(field, list):
        return delimiters.repetition.join(_repetition(one, delimiters) for one in field)
    return _repetition(field, delimiters)


def _repetition(repetition: RepetitionOut, delimiters: Delimiters) -> str:
    if isinstance(repetition, tuple):
        parts = [_component(part, delimiters) for part in repetition]
        return delimiters.component.join(parts).rstrip(delimiters.component)
    return escape(repetition, delimiters) if repetition else ""


def _component(component: ComponentOut, delimiters: Delimiters) -> str:
    if isinstance(component, tuple):
        parts = [escape(part, delimiters) if part else "" for part in component]
        return delimiters.subcomponent.join(parts).rstrip(delimiters.subcomponent)
    return escape(component, delimiters) if component else ""
