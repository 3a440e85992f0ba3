import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

CONFINED = "from sgi.confine import confine\nconfine(256 << 20, {cpu_s})\n"


def confined(code: str, cpu_s: int = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CONFINED.format(cpu_s=cpu_s) + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_memory() -> None:
    done = confined("""
        kept = bytearray(32 << 20)
        try:
            kept = bytearray(512 << 20)
        except MemoryError:
            print("refused")
    """)
    assert done.stdout == "refused\n", done.stderr


def test_processor_time_says_why() -> None:
    done = confined("while True: pass", cpu_s=1)
    assert done.returncode == -signal.SIGXCPU


def test_processor_time_also_when_the_signal_is_ignored() -> None:
    code = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    assert confined(code, cpu_s=1).returncode == -signal.SIGKILL


def test_no_network() -> None:
    done = confined("""
        import socket
        for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
            try:
                socket.socket(family).close()
                print("opened")
            except OSError as error:
                print(error.errno)
    """)
    assert done.stdout == "1\n1\n1\n", done.stdout + done.stderr  # EPERM


def test_no_files_but_those_that_are_given(tmp_path: Path) -> None:
    for name in ("source", "scratch", "secrets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    code = f"""
        import os
        from pathlib import Path
        from sgi.confine import confine
        confine(256 << 20, 30, [Path({str(tmp_path / "source")!r})],
                [Path({str(tmp_path / "scratch")!r})])
        os.chdir({str(tmp_path)!r})
        def tried(action):
            try:
                return action() or "done"
            except OSError as error:
                return error.errno
        print(tried(lambda: open("source/file").read()))
        print(tried(lambda: open("source/file", "w").write("x")))
        print(tried(lambda: os.unlink("source/file")))
        print(tried(lambda: open("scratch/new", "w").write("x") and None))
        print(tried(lambda: open("secrets/file").read()))
        print(tried(lambda: os.listdir("secrets")))
        print(tried(lambda: open(f"/proc/{{os.getppid()}}/environ", "rb").read()))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60
    )
    if done.stdout.splitlines()[4:5] == ["secrets"]:
        pytest.skip("this kernel has no Landlock")
    # EACCES everywhere but below the two.
    assert done.stdout.split() == ["source", "13", "13", "done", "13", "13", "13"], done.stderr


def test_no_core_few_files_and_no_new_privileges() -> None:
    done = confined("""
        import resource
        print(resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_NOFILE))
        print([line for line in open("/proc/self/status") if line.startswith("NoNewPrivs")])
    """)
    assert done.stdout.splitlines() == ["(0, 0) (512, 512)", "['NoNewPrivs:\\t1\\n']"]


def test_it_ends_with_its_parent() -> None:
    parent = textwrap.dedent("""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
        child.stdout.readline()
        print(child.pid, flush=True)
        time.sleep(60)
    """)
    child = (
        "import time\nfrom sgi.lifeline import end_with_parent\nend_with_parent()\n"
        "print(1, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, child], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        process.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().split()[2]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.02)
    pytest.fail("the child outlived its parent")


def test_a_parent_that_is_the_first_process_of_a_container_is_no_dead_one() -> None:
    first = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    )
    child = "from sgi.lifeline import end_with_parent\nend_with_parent()\nprint('lives')"
    command = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine allows no process namespace")
    done = subprocess.run(
        [*command, sys.executable, "-c", first, child], capture_output=True, text=True, check=False
    )
    assert done.stdout == "lives\n", done.stderr
