"""Who may come in, and what they may do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID


class Role(StrEnum):
    """What an account is for."""

    ADMINISTRATOR = "administrator"
    PATHOLOGIST = "pathologist"
    TECHNICIAN = "technician"
    GUEST = "guest"
    """Of another system that opens one case here: nobody signs in with such an account."""


PersonRole = Literal["administrator", "pathologist", "technician"]
"""Names of PEOPLE, as types need them written."""
PEOPLE = tuple(role for role in Role if role is not Role.GUEST)
"""What accounts of people are for."""


class Permission(StrEnum):
    """Something that a route asks of an account."""

    VIEW_SLIDES = "view_slides"
    VIEW_ARRIVALS = "view_arrivals"
    CHANGE_ARRIVALS = "change_arrivals"
    CHANGE_QUALITY_LIMITS = "change_quality_limits"
    VIEW_STORAGE = "view_storage"
    CHANGE_STORAGE = "change_storage"
    VIEW_RETENTION = "view_retention"
    CHANGE_RETENTION = "change_retention"
    HOLD_SLIDES = "hold_slides"
    ASK_DESTRUCTION = "ask_destruction"
    APPROVE_DESTRUCTION = "approve_destruction"
    VIEW_CASES = "view_cases"
    READ_CASES = "read_cases"
    """Begin and sign out; ask for recuts, stains and new scans."""
    ASSIGN_CASES = "assign_cases"
    CHANGE_CASE_RULES = "change_case_rules"
    """Groups, rules of assignment, targets of turnaround."""
    IDENTIFY_SLIDES = "identify_slides"
    """Say which glass a scan is of, and take that back."""
    VIEW_INTERFACES = "view_interfaces"
    CHANGE_INTERFACES = "change_interfaces"
    """Have messages read or sent again, or given up."""
    VIEW_MESSAGES = "view_messages"
    """Whole, as they came: they hold patients' names."""


GRANTS: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.PATHOLOGIST: frozenset(
        {
            Permission.VIEW_SLIDES,
            Permission.VIEW_ARRIVALS,
            Permission.VIEW_RETENTION,
            Permission.HOLD_SLIDES,
            Permission.ASK_DESTRUCTION,
            Permission.VIEW_CASES,
            Permission.READ_CASES,
            Permission.ASSIGN_CASES,
            Permission.IDENTIFY_SLIDES,
        }
    ),
    Role.TECHNICIAN: frozenset(
        {
            Permission.VIEW_SLIDES,
            Permission.VIEW_ARRIVALS,
            Permission.CHANGE_ARRIVALS,
            Permission.VIEW_CASES,
            Permission.IDENTIFY_SLIDES,
            Permission.VIEW_INTERFACES,
        }
    ),
    Role.GUEST: frozenset({Permission.VIEW_SLIDES, Permission.VIEW_CASES}),
}
"""What each role may do; a permission that is not here is denied."""


@dataclass(frozen=True, slots=True)
class Account:
    """A local account."""

    id: UUID
    establishment_id: UUID
    name: str
    role: Role
    password_hash: str


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in account; the cookie's token itself is never stored, only its hash."""

    id: UUID
    account_id: UUID
    account_name: str
    role: Role
    establishment_id: UUID
    establishment_name: str
    csrf_token: str
    expires_at: datetime
    case_id: UUID | None = None
    """Of a guest: all that may be seen; see `sgi.access.guests`."""

    def may(self, permission: Permission) -> bool:
        return permission in GRANTS[self.role]
