"""Interfaces with the laboratory's system: what came of each message, and how well they go."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Direction(StrEnum):
    """Seen from here."""

    IN = "in"
    OUT = "out"


class Outcome(StrEnum):
    """What came of a message."""

    APPLIED = "applied"
    """It changed something here."""
    UNCHANGED = "unchanged"
    """It was understood, and told nothing new."""
    REFUSED = "refused"
    """By us, when it came in; by the other side, when it went out."""
    SENT = "sent"
    """It went out, and no answer is known."""
    ACCEPTED = "accepted"
    """It went out, and the other side took it over."""


class NoticeKind(StrEnum):
    """What we tell the laboratory."""

    IMAGE = "LAB-104"
    """The image of a slide is there, or not any more."""
    CASE = "LAB-101"
    """The state of a case."""
    WORK_ORDER = "LAB-102"
    """A recut or a stain is asked for."""
    LINK = "ORU"
    """A case can be looked at, and where."""


OF_IMAGES = frozenset({NoticeKind.IMAGE, NoticeKind.LINK})
"""By which the laboratory learns that images can be looked at."""


class NoticeState(StrEnum):
    """Where a notice stands."""

    WAITING = "waiting"
    SENT = "sent"
    """It went out, and no answer has come yet."""
    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The other side said no: a person must look."""
    DEAD = "dead"
    """It was tried so often that a person must look."""
    GIVEN_UP = "given_up"
    """A person said that it is not to be told any more, or it is not true any more."""


STOPPED = (NoticeState.REFUSED, NoticeState.DEAD)
"""What only a person moves on."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One, as its process last said that it is."""

    name: str
    kind: str
    """"mllp" or "files"."""
    port: int | None
    sends: frozenset[NoticeKind]
    seen_at: datetime
    """When its process last gave a sign of life."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went through one interface lately."""

    last_in_at: datetime | None
    last_out_at: datetime | None
    refused_today: int
    """Messages refused by either side in the last 24 hours."""
    backlog: int
    """Notices that wait to be told."""
    oldest_at: datetime | None
    """Since when the oldest waits that could be told by now: not for what the laboratory has still
    to say of a slide.
    """
    stopped: int
    """Notices that only a person moves on."""


class Health(StrEnum):
    """How an interface is: what an administrator is told first."""

    SILENT_PROCESS = "silent_process"
    """Its process gives no sign of life: nothing comes in or goes out."""
    BEHIND = "behind"
    """Notices wait for long: the other side does not answer."""
    STOPPED = "stopped"
    """Notices were refused, or tried too often."""
    REFUSING = "refusing"
    """Messages were refused in the last 24 hours."""
    NEVER = "never"
    """Nothing has come in yet."""
    QUIET = "quiet"
    """Nothing has come in for more than a day."""
    WELL = "well"


PROCESS_SILENT_S = 90
"""Signs of life come every 20 s."""
BEHIND_S = 300
QUIET_S = 24 * 3600

SENTENCES: dict[Health, str] = {
    Health.SILENT_PROCESS: "The process of this interface does not run: start it (sgi hl7), and "
    "look into its log.",
    Health.BEHIND: "The other system does not answer: check that it runs and that its address is "
    "right; what waits is sent by itself then.",
    Health.STOPPED: "Notices were refused or tried too often: look at each, and send it again or "
    "give it up.",
    Health.REFUSING: "Messages were refused in the last 24 hours: look at why, and have them read "
    "again once that is mended.",
    Health.NEVER: "Nothing has come in yet: check the address and port that the other system "
    "sends to.",
    Health.QUIET: "Nothing has come in for more than a day: ask whether the other system sends.",
    Health.WELL: "All is well.",
}


def minutes_behind(traffic: Traffic, now: datetime) -> int:
    """How long the oldest notice waits, in whole minutes; 0 where none does."""
    if traffic.oldest_at is None:
        return 0
    return max(0, int((now - traffic.oldest_at).total_seconds() // 60))


def health(interface: Interface, traffic: Traffic, now: datetime) -> Health:
    """The worst that is true of an interface."""
    if _seconds(interface.seen_at, now) > PROCESS_SILENT_S:
        return Health.SILENT_PROCESS
    if traffic.oldest_at is not None and _seconds(traffic.oldest_at, now) > BEHIND_S:
        return Health.BEHIND
    if traffic.stopped:
        return Health.STOPPED
    if traffic.refused_today:
        return Health.REFUSING
    if traffic.last_in_at is None:
        return Health.NEVER
    return Health.QUIET if _seconds(traffic.last_in_at, now) > QUIET_S else Health.WELL


def _seconds(since: datetime, now: datetime) -> float:
    return (now - since).total_seconds()
