import subprocess
import sys

from sgi.priority import give_way

SAID = "import os; from sgi.priority import give_way; before = os.nice(0); give_way(3); "


def run(code: str, *, leader: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SAID + code],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=leader,
        timeout=60,
    )
    return done.stdout.strip()


def test_a_process_gives_way() -> None:
    assert run("print(os.nice(0) - before)") == "3"


def test_a_sessions_leader_gives_way_with_its_group() -> None:
    group = "from pathlib import Path; p = Path('/proc/self/autogroup'); "
    said = run(group + "print(p.read_text() if p.exists() else 'nice 3', before)", leader=True)
    nice, before = said.rsplit(" ", 1)
    assert nice.strip().endswith(f"nice {int(before) + 3}") or nice.endswith("nice 0")


def test_more_than_there_is_does_no_harm() -> None:
    give_way(0)
    assert run("give_way(1000); print(os.nice(0))") == "19"
