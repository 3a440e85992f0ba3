"""What two messages take turns by that concern one patient or case: the names that they give."""

from uuid import UUID

from sgi.catalogue import turns


def key_of_name(establishment_id: UUID, name: str) -> int:
    """Of what a message is about."""
    return turns.key_of_name(establishment_id, name.encode())


def key_of_message(establishment_id: UUID, interface: str, raw: bytes) -> int:
    """Of the very message: whoever brings it twice at once waits."""
    return turns.key_of_name(establishment_id, interface.encode() + b"\0" + raw)
