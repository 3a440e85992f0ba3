"""What an engine said last."""

from pathlib import Path

_TAIL_BYTES = 4096
_SHOWN_CHARACTERS = 200


def last_line(log: Path) -> str:
    """The last line that is not blank, cut to a length for a message; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].strip()[:_SHOWN_CHARACTERS] if lines else ""
