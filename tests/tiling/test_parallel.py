"""Results keep the items' order, few are in flight, and the first error ends the work."""

import threading

import pytest

from tiling.parallel import map_in_order


def test_results_are_in_order() -> None:
    assert list(map_in_order(lambda n: n * n, range(100), 4)) == [n * n for n in range(100)]


def test_only_a_few_are_begun_ahead_of_the_consumer() -> None:
    begun = 0
    lock = threading.Lock()

    def begin(item: int) -> int:
        nonlocal begun
        with lock:
            begun += 1
        return item

    results = map_in_order(begin, range(1000), 2)
    next(results)
    assert begun <= 9
    results.close()  # type: ignore[attr-defined]  # a generator, seen as an iterator


def test_an_error_comes_out() -> None:
    def fail(item: int) -> int:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        list(map_in_order(fail, range(1000), 2))
