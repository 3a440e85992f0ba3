"""What came of messages that went out, put into their rows: over, or for another time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sgi.catalogue import messages, outbox
from sgi.catalogue.database import Connection
from sgi.catalogue.outbox import Notice
from sgi.domain.interface import NoticeState, Outcome
from sgi.hl7 import answers
from sgi.hl7.answers import Answered, Reply
from sgi.hl7.errors import LinkError, LinkUnavailableError, NoAnswerError
from sgi.hl7.outgoing import Outgoing


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the other side is waited for."""

    first_s: float = 5.0
    longest_s: float = 900.0
    tries: int = 100
    """Of a message that got there without a proper answer; then a person must look. One that could
    not be brought there at all, or met with silence like whatever was sent before it, is tried for
    ever: an outage is no matter of single messages."""
    outage_s: float = 60.0
    """Longest pause of the whole interface while nothing gets there."""

    def pause(self, attempts: int) -> timedelta:
        """Before the next try of one message."""
        return timedelta(seconds=min(self.longest_s, self.first_s * 2 ** min(attempts - 1, 20)))

    def outage(self, failures: int) -> float:
        """Before anything is sent again, in seconds."""
        return float(min(self.outage_s, 0.5 * 2 ** min(failures - 1, 20)))


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a message: an answer, an error, or neither where its turn did not come."""

    outgoing: Outgoing
    reply: Reply | None = None
    error: LinkError | None = None
    failures: int = 0
    """How often in a row nothing had come of any message before this one."""

    @property
    def is_answered(self) -> bool:
        """For good."""
        return self.reply is not None and self.reply.answered is not Answered.LATER


async def settle(
    connection: Connection,
    interface: str,
    sent: Sequence[Sent],
    patience: Patience,
    now: datetime,
) -> None:
    """Of all messages of a batch, in their order, in the open connection's transaction."""
    for each in sent:
        await _settle(connection, each, patience)
    for each in sent:  # after all of the outbox: this locks cases
        if each.reply is not None and each.is_answered:
            source = f"{interface} {each.outgoing.notice.control_id}"
            await answers.refuse_order(connection, each.reply.said, now, source)


async def _settle(connection: Connection, sent: Sent, patience: Patience) -> None:
    notice = sent.outgoing.notice
    if sent.reply is None and sent.error is None:
        await outbox.try_later(connection, notice.id, timedelta(), None, counts=False)
    elif isinstance(sent.error, LinkUnavailableError):
        pause = patience.pause(1)
        await outbox.try_later(connection, notice.id, pause, str(sent.error), counts=False)
    elif isinstance(sent.error, NoAnswerError) and sent.failures:
        pause = patience.pause(sent.failures + 1)
        await outbox.try_later(connection, notice.id, pause, str(sent.error), counts=False)
    elif sent.reply is None:
        await _later_or_dead(connection, notice, str(sent.error), patience)
    elif sent.reply.answered is Answered.LATER:
        words = answers.words_of(sent.reply.said)
        await messages.set_answer(
            connection, sent.outgoing.message_id, Outcome.SENT, sent.reply.raw, words
        )
        await _later_or_dead(connection, notice, words, patience)
    else:
        await answers.settle(connection, notice, sent.reply)


async def _later_or_dead(
    connection: Connection, notice: Notice, words: str, patience: Patience
) -> None:
    if notice.attempts >= patience.tries:
        await outbox.end(connection, notice.id, NoticeState.DEAD, words)
    else:
        await outbox.try_later(connection, notice.id, patience.pause(notice.attempts), words)
