"""Which messages are understood, and by which part of the mapping."""

from enum import StrEnum


class Treatment(StrEnum):
    """Who reads a message."""

    IDENTITY = "identity"
    ORDER = "order"
    SCANNER = "scanner"
    REPORT = "report"
    ANSWER = "answer"


_IDENTITIES = [
    "A01",
    "A02",
    "A03",
    "A04",
    "A05",
    "A06",
    "A07",
    "A08",
    "A11",
    "A12",
    "A13",
    "A24",
    "A28",
    "A31",
    "A37",
    "A40",
    "A47",
]

EVENTS: dict[str, Treatment] = {
    **{f"ADT^{event}": Treatment.IDENTITY for event in _IDENTITIES},
    "OML^O21": Treatment.ORDER,
    "ORM^O01": Treatment.ORDER,
    "OML^O33": Treatment.ORDER,
    "OUL^R21": Treatment.SCANNER,
    "ORU^R01": Treatment.REPORT,
    "MDM^T02": Treatment.REPORT,
    "MDM^T04": Treatment.REPORT,
    "MDM^T10": Treatment.REPORT,
    "ORL^O22": Treatment.ANSWER,
    "ORR^O02": Treatment.ANSWER,
    "ACK": Treatment.ANSWER,
}
"""By MSH-9.1 and MSH-9.2; an ACK has no event of its own."""


class Profile(StrEnum):
    """MSH-21 of IHE PaLM DPOW."""

    SPECIMEN = "DPOW-SPECIMEN"
    BLOCK = "DPOW-BLOCK"
    SLIDE = "DPOW-SLIDE"
    CASE_UPDATE = "DPOW-CASE-UPDATE"
    PLACE_WORK_ORDER = "DPOW-PLACE-WO"
    ACCEPT_WORK_ORDER = "DPOW-ACCEPT-WO"
    IMAGE_NOTICE = "DPOW-IMAGE-NOTIF"


TRANSACTIONS = {
    Profile.SPECIMEN: "LAB-100",
    Profile.BLOCK: "LAB-100",
    Profile.SLIDE: "LAB-100",
    Profile.CASE_UPDATE: "LAB-101",
    Profile.PLACE_WORK_ORDER: "LAB-102",
    Profile.ACCEPT_WORK_ORDER: "LAB-103",
    Profile.IMAGE_NOTICE: "LAB-104",
}
