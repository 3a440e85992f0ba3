"""Unique identifiers under 2.25, the root for UUIDs (PS3.5 B.2), and who we are in a file."""

import uuid

IMPLEMENTATION_CLASS_UID = "2.25.276652076871581798077878225426609296487"
"""Names this writer in the file meta information (PS3.7 D.3.3.2)."""

IMPLEMENTATION_VERSION_NAME = "SGI_WSI_1"
"""Raised whenever the same slide would be written as other bytes; at most 16 characters."""


def derived_uid(root: uuid.UUID, *names: str) -> str:
    """A UID that depends on nothing but the slide and what the thing is called within it.

    Converting a slide again therefore replaces its instances instead of adding to them. The names
    are a path: each is hashed below the one before (UUID version 5), so that `("a", "b")` and
    `("ab",)` differ.
    """
    for name in names:
        root = uuid.uuid5(root, name)
    return f"2.25.{root.int}"
