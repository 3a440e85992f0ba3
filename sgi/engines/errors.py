"""What can go wrong with an engine of our own."""

from sgi.errors import SgiError


class EngineError(SgiError):
    """An embedded engine cannot start or stop; the message says what to do."""
