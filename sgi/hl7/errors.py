"""What can be wrong with a message; each class has its row in `verdicts.ANSWERS`.

The sentences go back to the sender and into logs: they name fields, never what stood in them.
"""

from dataclasses import dataclass

from sgi.errors import SgiError


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a message, as ERR-2 (ERL) tells it; all counts begin at 1."""

    segment: str
    """Such as "PID"."""
    sequence: int = 1
    """Which of the segments of this name."""
    field: int | None = None
    repetition: int | None = None
    component: int | None = None
    subcomponent: int | None = None

    def __str__(self) -> str:
        """As people say it: "SPM[2]-3.1"; the first of its kind is not counted."""
        text = self.segment + (f"[{self.sequence}]" if self.sequence > 1 else "")
        if self.field is not None:
            text += f"-{self.field}"
            if self.repetition is not None and self.repetition > 1:
                text += f"[{self.repetition}]"
            if self.component is not None:
                text += f".{self.component}"
                if self.subcomponent is not None:
                    text += f".{self.subcomponent}"
        return text


class MessageError(SgiError):
    """Something in a message is not right; the root of all that is answered AE for its content."""

    def __init__(self, message: str, location: Location | None = None) -> None:
        super().__init__(message)
        self.location = location


class UnreadableMessageError(MessageError):
    """It is no HL7 v2 message in ER7 form, or not in the encoding that it names."""


class MessageTooLargeError(MessageError):
    """It has more bytes, segments or fields than the limits allow."""


class SegmentSequenceError(MessageError):
    """A segment is missing, or stands where it may not (table 0357: 100)."""


class MissingFieldError(MessageError):
    """A field that must be there is empty (101)."""


class WrongTypeError(MessageError):
    """A value is not of its field's type: no date, no number (102)."""


class UnknownCodeError(MessageError):
    """A value is not in the field's table (103)."""


class OtherMessageError(MessageError):
    """Another rule of HL7 or of a profile is broken: a field that may not be there (199)."""


class CardinalityError(MessageError):
    """A field or segment comes more often than it may (198)."""


class UnsupportedMessageError(MessageError):
    """The type of message is not taken here (200)."""


class UnsupportedEventError(MessageError):
    """The event is not taken here (201)."""


class UnsupportedProcessingError(MessageError):
    """MSH-11: a message of training or debugging where only production is taken (202)."""


class UnsupportedVersionError(MessageError):
    """MSH-12: a version that is not 2.x (203)."""


class DocumentVersionError(MessageError):
    """What is replaced or deleted is not the newest version of a report (900)."""


class SenderNotAllowedError(MessageError):
    """MSH-3 to MSH-6 are not those of this interface (901)."""


class UnknownPatientError(MessageError):
    """The patient is needed and not known (902)."""


class InsMissingError(MessageError):
    """An INS is needed and there is none (903)."""


class InsMismatchError(MessageError):
    """The INS is not this patient's (904)."""


class InsIncompleteError(MessageError):
    """The INS is there without what must go with it, or its key is not right (905)."""


class ContradictionError(MessageError):
    """It contradicts what is known, so that a person has to look (207, 906)."""


class DefectError(MessageError):
    """Something unexpected happened here: the message is kept, and sending it again is no use."""


class BusyLinkError(SgiError):
    """The message cannot be taken just now, for no fault of its own: it may be sent again."""


class LinkError(SgiError):
    """The other side of a link: it does not answer, or not as the protocol has it."""


class LinkUnavailableError(LinkError):
    """It cannot be reached, or went away: the message may be sent again."""


class NoAnswerError(LinkError):
    """It closed the connection without an answer, and nobody knows what it has of the message:
    that may be sent again under the same control id.
    """


class LinkTimeoutError(NoAnswerError):
    """It did not answer in time."""


class BadAnswerError(LinkError):
    """It answered something that is no acknowledgement of what was sent."""
