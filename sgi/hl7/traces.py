"""What may be logged of an error while a message was in hand."""

import traceback


def where(error: Exception | None) -> str:
    """Which error, and where in the code; never its words, which may hold a patient's name."""
    if error is None:
        return "no error"
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames)]
    return f"{type(error).__name__} at {' < '.join(places)}"
