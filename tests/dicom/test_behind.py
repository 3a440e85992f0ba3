import threading
from typing import Never

import pytest

from dicom.behind import Behind

CHUNKS = [b"first", b"second", b"third"]


def test_every_chunk_is_done_in_order() -> None:
    done: list[bytes] = []
    with Behind(done.append) as behind:
        for chunk in CHUNKS:
            behind.write(chunk)
    assert done == CHUNKS


def test_it_is_done_beside_and_never_more_than_one_chunk_behind() -> None:
    go_on = threading.Semaphore(0)
    begun: list[bytes] = []

    def work(chunk: bytes) -> None:
        begun.append(chunk)
        assert go_on.acquire(timeout=10)

    with Behind(work) as behind:
        behind.write(CHUNKS[0])  # returns although the work is not done
        threading.Timer(0.05, go_on.release).start()
        behind.write(CHUNKS[1])  # waits for the first
        assert begun[0] == CHUNKS[0]
        go_on.release()
    assert begun == CHUNKS[:2]


def _fail(_: bytes) -> Never:
    raise OSError("the disk is full")


def test_an_error_is_raised_by_the_next_write() -> None:
    def write_all() -> None:
        with Behind(_fail) as behind:
            for chunk in CHUNKS:
                behind.write(chunk)

    with pytest.raises(OSError, match="full"):
        write_all()


def test_an_error_of_the_last_chunk_is_raised_on_leaving() -> None:
    behind = Behind(_fail)
    behind.__enter__()
    behind.write(CHUNKS[0])
    with pytest.raises(OSError, match="full"):
        behind.__exit__(None, None, None)


def test_an_exception_that_leaves_the_context_passes() -> None:
    def stop() -> None:
        with Behind(_fail) as behind:
            behind.write(CHUNKS[0])
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        stop()
