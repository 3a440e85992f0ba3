"""Answers to messages: acceptance or what was wrong, in the mode and the version of the sender."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sgi.domain.french import MESSAGES, in_french
from sgi.errors import SgiError
from sgi.hl7.errors import Location, MessageError
from sgi.hl7.header import Header, header_of
from sgi.hl7.message import Message
from sgi.hl7.verdicts import ANSWERS, Code, Verdict, verdict
from sgi.hl7.writing import FieldOut, segment, timestamp

__all__ = ["ANSWERS", "Code", "Verdict", "answer", "verdict"]

_WORDS = frozenset({"", "AL", "NE", "ER", "SU"})
"""Of MSH-15 and MSH-16 (table 0155)."""
_COMMITTED = {Code.AA: "CA", Code.AE: "CE", Code.AR: "CR"}

_CONDITIONS = {
    100: "Segment sequence error",
    101: "Required field missing",
    102: "Data type error",
    103: "Table value not found",
    198: "Non-conformant cardinality",
    199: "Other HL7 error",
    200: "Unsupported message type",
    201: "Unsupported event code",
    202: "Unsupported processing id",
    203: "Unsupported version id",
    207: "Application internal error",
}
_APPLICATION = {
    900: "Version du document incorrecte",
    901: "Auteur non autorisé",
    902: "Identifiant patient inconnu",
    903: "INS non présent",
    904: "INS non concordant",
    905: "INS incomplet",
    906: "Autre erreur",
}
_ORDER_ANSWERS = {
    "OML^O21": "O22",
    "OML^O33": "O34",
    "OML^O35": "O36",
}
"""Orders of laboratories are answered by ORL; ORM^O01 by an ACK, as in CI-SIS, not by ORR^O02."""
_LONGEST_SENTENCE = 250
_AGAIN = "The message could not be taken just now; send it again."


def answer(
    asked: Message | bytes,
    error: Exception | None,
    now: datetime,
    *,
    warnings: Sequence[MessageError] = (),
    application: bool = True,
) -> bytes:
    """The answer to a message, given once what it says is durable or refused.

    `application` False answers ACK where an ORL would be due. In enhanced mode (MSH-15, MSH-16)
    these are the acknowledgements that the sender asked for: none, one, or a commit and then an
    application acknowledgement, one after the other as in a file of several messages. Empty for
    what is itself an acknowledgement; what has no header is answered without a name. Whoever asks
    for what is in no table is answered as if nothing was asked for.
    """
    header = header_of(asked)
    if header.code in {"ACK", "NAK"}:
        return b""
    code = Code.AA if error is None else verdict(error).code
    lines = [_error(header, one, "W") for one in warnings]
    if error is not None:
        lines.append(_error(header, error, "E"))
    if not header.enhanced or not {header.accept, header.application} <= _WORDS:
        return _write(header, _type(header, application), code, error, lines, now)
    told = b""
    if _wanted(header.accept, code):
        type_ = ("ACK", header.event, "ACK") if header.event else ("ACK",)
        told += _write(header, type_, _COMMITTED[code], error, lines, now)
    if _wanted(header.application, code):
        told += _write(header, _type(header, application), code, error, lines, now)
    return told


def _wanted(asked: str, code: Code) -> bool:
    """By table 0155; nothing said in enhanced mode is never."""
    if asked == "AL":
        return True
    return asked == ("SU" if code is Code.AA else "ER")


def _type(header: Header, application: bool) -> tuple[str, ...]:
    event = _ORDER_ANSWERS.get(f"{header.code}^{header.event}")
    if event is not None and application:
        return ("ORL", event, f"ORL_{event}")
    return ("ACK", header.event, "ACK") if header.event else ("ACK",)


def _write(
    header: Header,
    type_: tuple[str, ...],
    code: str,
    error: Exception | None,
    lines: list[str],
    now: datetime,
) -> bytes:
    said: dict[int, FieldOut] = {1: code, 2: header.control_id}
    if error is not None and header.is_before("2.5"):
        said[3] = _sentence(header, error)  # later versions have it in ERR
    written = [
        segment(
            "MSH",
            {
                3: header.receiver[0],
                4: header.receiver[1],
                5: header.sender[0],
                6: header.sender[1],
                7: timestamp(now),
                9: type_,
                10: secrets.token_hex(10),
                11: header.processing or "P",
                12: header.version if any(header.version) else "2.5",
                17: header.country,
                18: header.encoding,
            },
        ),
        segment("MSA", said),
        *lines,
    ]
    return header.write(written)


def _error(header: Header, error: Exception, severity: str) -> str:
    decided = verdict(error)
    location = error.location if isinstance(error, MessageError) else None
    condition = (str(decided.condition), _CONDITIONS[decided.condition], "HL70357")
    fields: dict[int, FieldOut] = {}
    if header.is_before("2.5"):
        place = location or Location("MSH")
        field = None if place.field is None else str(place.field)
        fields[1] = (place.segment, str(place.sequence), field, condition)
        return segment("ERR", fields)
    if location is not None:
        fields[2] = _place(location)
    fields |= {3: condition, 4: severity, 8: _sentence(header, error)}
    if decided.application is not None:
        number = decided.application
        fields[5] = (str(number), _APPLICATION[number], "HL70533")
    return segment("ERR", fields)


def _place(location: Location) -> tuple[str | None, ...]:
    """ERL: each part only where the one before it is."""
    numbers = (
        location.sequence,
        location.field,
        location.repetition or (1 if location.component is not None else None),
        location.component,
        location.subcomponent,
    )
    return (location.segment, *(None if number is None else str(number) for number in numbers))


def _sentence(header: Header, error: Exception) -> str:
    """Ours are written for it; of others nothing is told, as it may hold anything."""
    english = str(error) if isinstance(error, SgiError) else _AGAIN
    french = in_french(english, table=MESSAGES) if header.french else None
    return (french or english)[:_LONGEST_SENTENCE]
