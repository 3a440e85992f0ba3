import asyncio

import pytest

from sgi.api.once import MadeOnce


class Making:
    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> bytes:
        self.times += 1
        await asyncio.sleep(0)
        return b"0123456789"


def test_all_who_ask_at_once_share_one_making() -> None:
    async def ask() -> int:
        once: MadeOnce[str] = MadeOnce(100)
        making = Making()
        answers = await asyncio.gather(*(once.get("a", making) for _ in range(5)))
        assert set(answers) == {b"0123456789"}
        await once.get("a", making)
        return making.times

    assert asyncio.run(ask()) == 1


def test_only_what_fits_is_kept_and_the_oldest_goes() -> None:
    async def ask() -> list[int]:
        once: MadeOnce[int] = MadeOnce(20)
        makings = [Making() for _ in range(3)]
        for number in (0, 1, 0, 2):
            await once.get(number, makings[number])
        for number in (0, 2, 1):
            await once.get(number, makings[number])
        return [making.times for making in makings]

    assert asyncio.run(ask()) == [1, 2, 1]


def test_a_failure_is_told_and_not_kept() -> None:
    async def fail() -> bytes:
        raise ValueError("not now")

    async def ask() -> bytes:
        once: MadeOnce[str] = MadeOnce(100)
        with pytest.raises(ValueError, match="not now"):
            await once.get("a", fail)
        return await once.get("a", Making())

    assert asyncio.run(ask()) == b"0123456789"


def test_who_goes_away_does_not_end_it_for_the_others() -> None:
    async def ask() -> tuple[bytes, int]:
        once: MadeOnce[str] = MadeOnce(100)
        making = Making()
        first = asyncio.create_task(once.get("a", making))
        second = asyncio.create_task(once.get("a", making))
        await asyncio.sleep(0)
        first.cancel()
        return await second, making.times

    assert asyncio.run(ask()) == (b"0123456789", 1)
