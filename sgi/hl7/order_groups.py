"""Where one order of a message ends and the next begins.

`OML^O21` has orders with specimens below them, `OML^O33` specimens with orders below them: each
pair of an order and a specimen is one group here, and an order without specimens is one too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sgi.hl7.errors import MessageTooLargeError, SegmentSequenceError
from sgi.hl7.message import Message, Segment

_MOST_GROUPS = 1_000
_MOST_READ = 200_000
"""Segments of all groups, what they share counted in each."""
_ORDER = {"ORC", "OBR"}


@dataclass(slots=True)
class Group:
    """An order, with what is above all orders of the message, and at most one specimen of it."""

    above: tuple[Segment, ...]
    """MSH, PID, PV1 and whatever else comes first."""
    own: tuple[Segment, ...]
    """ORC, TQ1, OBR, NTE, PRT."""
    specimen: tuple[Segment, ...]
    """SPM, then its OBX, SAC and NTE; empty where the order has none."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        return (*self.own, *self.specimen, *self.above)


@dataclass(slots=True)
class _Order:
    own: list[Segment] = field(default_factory=list)
    runs: list[list[Segment]] = field(default_factory=list)


def groups_of(message: Message) -> list[Group]:
    """Every group, in the message's order.

    Raises SegmentSequenceError for a message without an order, or with two patients: a PID among
    the orders begins prior results, of which nothing is to be taken for an order of today.
    """
    above, rest = _divided(message)
    if not rest:
        raise SegmentSequenceError("The message has neither ORC nor OBR; send one for each order.")
    for segment in rest:
        if segment.name == "PID":
            place = segment.at(1)
            raise SegmentSequenceError("A second PID stands among the orders; leave it out.", place)
    by_specimen = rest[0].name == "SPM"
    groups = list(_by_specimen(above, rest) if by_specimen else _by_order(above, rest))
    read = sum(len(group.segments) for group in groups)
    if len(groups) > _MOST_GROUPS or read > _MOST_READ:
        raise MessageTooLargeError(
            "The message has too many orders, or too much around them; send them in several."
        )
    return groups


def _divided(message: Message) -> tuple[tuple[Segment, ...], list[Segment]]:
    """What is above the orders, and the rest, which begins with the first ORC, OBR or SPM."""
    segments = list(message)
    starts = _ORDER | {"SPM"}
    begin = next((n for n, one in enumerate(segments) if one.name in starts), len(segments))
    above = tuple(one for one in segments[:begin] if one.name != "NTE")  # of the patient
    return above, segments[begin:]


def _orders(segments: Iterable[Segment]) -> list[_Order]:
    """Runs that each begin with ORC; a further OBR begins one too, under the same ORC."""
    orders: list[_Order] = []
    for segment in segments:
        orc = orders[-1].own[:1] if orders and orders[-1].own[0].name == "ORC" else []
        if segment.name == "ORC":
            orders.append(_Order([segment]))
        elif segment.name == "OBR" and (not orders or _has_obr(orders[-1])):
            orders.append(_Order([*orc, segment]))
        elif segment.name == "SPM":
            orders[-1].runs.append([segment])
        elif orders[-1].runs:
            orders[-1].runs[-1].append(segment)
        else:
            orders[-1].own.append(segment)
    return orders


def _has_obr(order: _Order) -> bool:
    return any(segment.name == "OBR" for segment in order.own)


def _by_order(above: tuple[Segment, ...], rest: list[Segment]) -> Iterable[Group]:
    for order in _orders(rest):
        for run in order.runs or [[]]:
            yield Group(above, tuple(order.own), tuple(run))


def _by_specimen(above: tuple[Segment, ...], rest: list[Segment]) -> Iterable[Group]:
    runs: list[list[Segment]] = []
    for segment in rest:
        if segment.name == "SPM":
            runs.append([segment])
        else:
            runs[-1].append(segment)
    for run in runs:
        begin = next((n for n, one in enumerate(run) if one.name in _ORDER), len(run))
        for order in _orders(run[begin:]) or [_Order()]:
            yield Group(above, tuple(order.own), tuple(run[:begin]))
