"""What programs call the images of a slide that are not its tissue."""

from tiling.slide import AssociatedKind

_KINDS = {
    "label": AssociatedKind.LABEL,
    "label image": AssociatedKind.LABEL,
    "macro": AssociatedKind.OVERVIEW,
    "macro image": AssociatedKind.OVERVIEW,
    "overview": AssociatedKind.OVERVIEW,
    "thumbnail": AssociatedKind.THUMBNAIL,
}


def kind_named(name: str | None) -> AssociatedKind | None:
    """By the name of an image in OME's formats; None for a slide."""
    return _KINDS.get((name or "").strip().lower())
