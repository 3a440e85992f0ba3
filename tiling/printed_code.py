"""A barcode in scanners' own words."""

import base64

_BLANK = "\0 \t\r\n"
_SEPARATORS = dict.fromkeys(map(ord, "\x1c\x1d\x1e\x1f\x04"))
"""FS, GS, RS, US and EOT part the fields of codes of several."""


def code(*texts: str | None) -> str | None:
    """The first of some texts that says anything, without what pads it."""
    return next((bare for text in texts if (bare := (text or "").strip(_BLANK))), None)


def code_in_base64(text: str | None) -> str | None:
    """What a text in base64 says, on one line or several; the text itself where it is no text in
    base64.
    """
    bare = (text or "").strip(_BLANK)
    in_one = "".join(line.strip(_BLANK) for line in bare.split("\n"))
    # Scanners close it with a stray slash at times.
    for packed in (in_one, in_one.removesuffix("/")):
        try:
            said = base64.b64decode(packed, validate=True).decode("utf-8").strip(_BLANK)
        except ValueError:
            continue
        if said.translate(_SEPARATORS).isprintable():
            return said or None
    return bare or None
