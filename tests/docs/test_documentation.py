"""What the documents list is what the code has."""

import re
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from sgi.access.rules import RULES
from sgi.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"


def variables(model: type[BaseModel], prefix: str = "SGI_") -> set[str]:
    """Every environment variable of a settings class."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        kinds = get_args(field.annotation) or (field.annotation,)
        parts = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        for part in parts:
            found |= variables(part, f"{prefix}{name.upper()}__")
        if not parts:
            found.add(f"{prefix}{name.upper()}")
    return found


def test_every_setting_is_documented_and_no_other() -> None:
    text = (DOCS / "administrators.md").read_text()
    assert set(re.findall(r"`(SGI_[A-Z0-9_]+[A-Z])`", text)) == variables(Settings)


def test_every_route_is_documented_and_no_other() -> None:
    table = (DOCS / "integrators.md").read_text().split("## Routes")[1].split("##")[0]
    told = {
        tuple(route.split(" ")) for route in re.findall(r"`((?:GET|POST|PUT|DELETE) /\S*?)`", table)
    }
    assert told == {(rule.method, rule.path) for rule in RULES}


def test_links_lead_somewhere() -> None:
    root = DOCS.parent
    for page in [*DOCS.rglob("*.md"), root / "README.md", root / "CHANGELOG.md"]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} leads to {target}"
