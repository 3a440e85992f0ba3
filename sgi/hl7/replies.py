"""Answers to orders of ours that come as messages of their own: ORL, ORR, ACK."""

from sgi.hl7.errors import Location
from sgi.hl7.message import Message
from sgi.hl7.statements import OrderAnswered

_LONGEST_WORDS = 500


def read_reply(message: Message) -> tuple[OrderAnswered, dict[str, Location]]:
    """What it answers, and how. Raises MessageError where it does not say so."""
    msa = message.required("MSA")
    orc = message.segment("ORC")
    places = {"control_id": msa.at(2), "code": msa.at(1)}
    if orc is not None:
        places["order_control"] = orc.at(1)
    answered = OrderAnswered(
        control_id=msa.required(2),
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
