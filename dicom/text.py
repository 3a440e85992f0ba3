"""Words from outside made fit for DICOM strings (PS3.5 6.1.3 and 6.2)."""


def short_text(value: str | None, limit: int = 64) -> str | None:
    r"""At most `limit` characters (LO: 64) on one line without `\`, which would split the value.

    None where nothing is left.
    """
    if value is None:
        return None
    printable = "".join(
        " " if character == "\\" or not character.isprintable() else character
        for character in value
    )
    return " ".join(printable.split())[:limit].strip() or None


def require_text(name: str, value: str | None, limit: int) -> None:
    """Raise ValueError for an identifier that DICOM could only hold changed.

    Identifiers link the slide to the laboratory: cut short, they would link it to another one.
    """
    if value is not None and (value != short_text(value, limit)):
        raise ValueError(
            f"{name} {value!r} must be 1 to {limit} printable characters without a backslash"
        )
