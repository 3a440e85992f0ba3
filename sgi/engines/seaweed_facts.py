"""What a SeaweedFS of our own remembers between starts: its credentials and its ports."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

SERVERS = ("master", "volume", "filer", "admin", "s3")


@dataclass(frozen=True, slots=True)
class SeaweedFacts:
    """Kept in a file that only its owner reads."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    ports: dict[str, int]
    """HTTP port of each of `SERVERS`; empty until the first start."""


def new_credentials() -> tuple[str, str]:
    """Access key id and secret access key, as long as Amazon's."""
    return "SGI" + secrets.token_hex(8).upper()[:17], secrets.token_urlsafe(30)


def read_facts(path: Path) -> SeaweedFacts | None:
    """None when there are none yet."""
    try:
        return SeaweedFacts(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None


def write_facts(path: Path, facts: SeaweedFacts) -> None:
    """Replace the file; whole or not at all, also through a power cut."""
    write_private(path, json.dumps(asdict(facts), indent=2))


def write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner reads."""
    unfinished = path.with_name(path.name + ".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:  # noqa: PTH123 - a descriptor, for its mode
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    unfinished.replace(path)
