"""How much memory there is."""

from pathlib import Path

import pytest

from sgi.engines import memory
from sgi.engines.memory import memory_mb


@pytest.mark.parametrize("said", [None, "max\n", "9223372036854771712\n"])
def test_without_a_limit_it_is_the_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_LIMITS", (limit, tmp_path / "none"))
    machine = memory_mb()
    if said is not None:
        limit.write_text(said)
    assert memory_mb() == machine > 0


def test_a_containers_limit_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text(str(64 << 20))
    monkeypatch.setattr(memory, "_LIMITS", (tmp_path / "none", limit))
    assert memory_mb() == 64
