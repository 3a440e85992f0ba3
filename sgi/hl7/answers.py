"""What the other side says to a notice of ours: at once, or in a message of its own."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sgi.catalogue import kept_messages, messages, outbox, work_orders
from sgi.catalogue.database import Connection
from sgi.catalogue.outbox import Notice
from sgi.domain.interface import NoticeState, Outcome
from sgi.hl7.errors import BadAnswerError, MessageError
from sgi.hl7.header import header_of
from sgi.hl7.interface import Interface
from sgi.hl7.replies import parse_reply, read_reply
from sgi.hl7.statements import OrderAnswered


class Answered(Enum):
    """What MSA-1 comes to (table 0008), in both modes."""

    ACCEPTED = ("AA", "CA")
    REFUSED = ("AE", "CE")
    """Sent again as it is, it would be refused again."""
    LATER = ("AR", "CR")
    """It may be sent again."""


UNABLE = ("UA", "UC", "UD", "UH", "UM", "UN", "UR", "UX")
"""ORC-1 (table 0119) of an order that the laboratory does not take on."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came, and what it says."""

    raw: bytes
    said: OrderAnswered
    answered: Answered


def read(raw: bytes, interface: Interface | None = None, asked: str = "") -> Reply:
    """What came in return for what has the control id `asked`.

    Raises BadAnswerError for what is no acknowledgement.
    """
    try:
        said, _ = read_reply(parse_reply(raw, interface), asked)
    except MessageError as error:
        raise BadAnswerError("The answer is no acknowledgement.") from error
    answered = meaning(said.code)
    if answered is None:
        raise BadAnswerError("MSA-1 of the answer is none of AA, AE, AR, CA, CE and CR.")
    return Reply(raw, said, answered)


def meaning(code: str) -> Answered | None:
    """What MSA-1 comes to; None for a code that there is not."""
    return next((each for each in Answered if code in each.value), None)


async def settle(connection: Connection, notice: Notice, reply: Reply) -> None:
    """The notice was accepted or refused for good, in the open connection's transaction.

    Nothing is done where it was settled meanwhile: what the application says may overtake the
    receipt, and is the last word.
    """
    words = None if reply.answered is Answered.ACCEPTED else words_of(reply.said)
    state, outcome = _ENDS[reply.answered]
    ended = await outbox.end(connection, notice.id, state, words)
    if ended and notice.message_id is not None:
        await messages.set_answer(connection, notice.message_id, outcome, reply.raw, words)


_ENDS = {
    Answered.ACCEPTED: (NoticeState.ACCEPTED, Outcome.ACCEPTED),
    Answered.REFUSED: (NoticeState.REFUSED, Outcome.REFUSED),
}


async def settle_later(
    connection: Connection, said: OrderAnswered, raw: bytes, said_at: datetime, source: str
) -> bool:
    """A message of its own that answers a notice; False where it decides nothing.

    In enhanced mode it comes after a commit acknowledgement, which says only that the notice was
    received: what the application says then is the last word.
    """
    notice = await outbox.of_control_id(connection, said.control_id)
    answered = meaning(said.code)
    await refuse_order(connection, said, said_at, source)
    if notice is None or answered is None:
        return False
    if notice.state is NoticeState.ACCEPTED:
        return await _settle_after_all(connection, notice, Reply(raw, said, answered))
    if answered is Answered.LATER:
        if not await _has_receipt(connection, notice, said):
            return False
        answered = Answered.REFUSED
    await settle(connection, notice, Reply(raw, said, answered))
    return True


async def _has_receipt(connection: Connection, notice: Notice, said: OrderAnswered) -> bool:
    """Whether what refuses it comes after a receipt, which may still be on its way here: then
    nothing else would have it sent again.
    """
    if said.code != "AR" or notice.message_id is None:
        return False
    content = await kept_messages.content(connection, notice.message_id)
    return content is not None and header_of(content.raw).enhanced


async def _settle_after_all(connection: Connection, notice: Notice, reply: Reply) -> bool:
    """Taken on before, and refused now: nobody would send it again by itself."""
    if reply.answered is Answered.ACCEPTED or reply.said.code.startswith("C"):
        return False
    words = words_of(reply.said)
    if notice.message_id is not None:
        await messages.set_answer(connection, notice.message_id, Outcome.REFUSED, reply.raw, words)
    return await outbox.refuse_after_all(connection, notice.id, words)


async def refuse_order(
    connection: Connection, said: OrderAnswered, said_at: datetime, source: str
) -> None:
    """A work order that the laboratory does not take on: who asked for it must see that."""
    if said.order_control in UNABLE and said.placer_number is not None:
        await work_orders.refuse(
            connection, said.placer_number, said.words, said_at=said_at, source=source
        )


def words_of(said: OrderAnswered) -> str:
    """Why, as the other side has it."""
    return said.words or f"The other system answered {said.code} and said no more."
