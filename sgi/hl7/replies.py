"""Answers to orders of ours that come as messages of their own: ORL, ORR, ACK."""

from sgi.hl7.encodings import Charset
from sgi.hl7.errors import Location, UnreadableMessageError
from sgi.hl7.interface import Interface
from sgi.hl7.message import Message, parse_message
from sgi.hl7.statements import OrderAnswered

_LONGEST_WORDS = 500


def parse_reply(raw: bytes, interface: Interface | None = None) -> Message:
    """An answer, read as its interface's file says; and where its bytes are not what MSH-18 says,
    in spite of that, since what was decided is plain in any of them.

    Raises MessageError for what is no message.
    """
    try:
        if interface is None:
            return parse_message(raw)
        return parse_message(raw, unnamed=interface.encodings, in_spite=interface.encoding_always)
    except UnreadableMessageError:
        return parse_message(raw, in_spite=Charset.ASCII)


def read_reply(message: Message, asked: str = "") -> tuple[OrderAnswered, dict[str, Location]]:
    """What it answers, and how; `asked` is the control id of what it answers where it names none.

    Raises MessageError where it does not say so.
    """
    msa = message.required("MSA")
    orc = message.segment("ORC")
    places = {"control_id": msa.at(2), "code": msa.at(1)}
    if orc is not None:
        places["order_control"] = orc.at(1)
    answered = OrderAnswered(
        control_id=msa.value(2) or asked or msa.required(2),
        code=msa.required(1),
        order_control=orc.value(1) if orc is not None else None,
        placer_number=orc.value(2) if orc is not None else None,
        filler_number=orc.value(3) if orc is not None else None,
        words=_words(message),
    )
    return answered, places


def _words(message: Message) -> str | None:
    """Why: what is for people first, then what is for machines."""
    msa, err = message.required("MSA"), message.segment("ERR")
    found = []
    if err is not None:
        found = [err.value(8), err.value(7), err.value(5, 2), err.value(3, 2), err.value(1, 4, 2)]
    words = next((text for text in [*found, msa.value(3)] if text), None)
    return words[:_LONGEST_WORDS] if words else None
