"""`multipart/related` (RFC 2387) piece by piece: nothing of a part is held but its head."""

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Multipart:
    """The frame around parts of one media type."""

    media_type: str
    boundary: str = field(default_factory=lambda: secrets.token_hex(16))
    """128 bits of chance: no part holds it."""

    @property
    def content_type(self) -> str:
        return f'multipart/related; type="{self.media_type}"; boundary={self.boundary}'

    def head(self, content_type: str, length: int, location: str | None = None) -> bytes:
        """What comes before the bytes of a part."""
        lines = [f"\r\n--{self.boundary}", f"Content-Type: {content_type}"]
        if location is not None:
            lines.append(f"Content-Location: {location}")
        lines += [f"Content-Length: {length}", "", ""]
        return "\r\n".join(lines).encode("ascii")

    def end(self) -> bytes:
        """What comes after the last."""
        return f"\r\n--{self.boundary}--\r\n".encode("ascii")
