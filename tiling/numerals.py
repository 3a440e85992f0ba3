"""Numbers in scanners' own words."""

import math


def positive(text: str | None) -> float | None:
    """The number that a text is; None for anything that is no finite number above zero."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if number > 0 and math.isfinite(number) else None
