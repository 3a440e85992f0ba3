"""A barcode in scanners' own words."""

import base64

_BLANK = "\0 \t\r\n"


def code(*texts: str | None) -> str | None:
    """The first of some texts that says anything, without what pads it."""
    return next((bare for text in texts if (bare := (text or "").strip(_BLANK))), None)


def code_in_base64(text: str | None) -> str | None:
    """What a text in base64 says; the text itself where it is no text in base64."""
    bare = (text or "").strip(_BLANK)
    # Scanners close it with a stray slash at times.
    for packed in (bare, bare.removesuffix("/")):
        try:
            said = base64.b64decode(packed, validate=True).decode("utf-8").strip(_BLANK)
        except ValueError:
            continue
        if said.isprintable():
            return said or None
    return bare or None
