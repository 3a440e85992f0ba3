"""Things that take their time, given in the order asked, some of them made ahead."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

AHEAD = 24
"""Made at the same time: three runs of frames."""

_Asked = TypeVar("_Asked")
_Made = TypeVar("_Made")


async def in_order(
    asked: Iterable[_Asked], make: Callable[[_Asked], Awaitable[_Made]], ahead: int = AHEAD
) -> AsyncGenerator[_Made | Exception]:
    """What `make` gives for each, or the exception that it raises; at most `ahead` under way.

    Ends whatever is under way when it is closed before its end.
    """
    under_way: deque[asyncio.Task[_Made]] = deque()
    try:
        for each in asked:
            under_way.append(asyncio.ensure_future(_awaited(make, each)))
            if len(under_way) >= ahead:
                yield await _outcome(under_way.popleft())
        while under_way:
            yield await _outcome(under_way.popleft())
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _awaited(make: Callable[[_Asked], Awaitable[_Made]], asked: _Asked) -> _Made:
    return await make(asked)


async def _outcome(task: asyncio.Task[_Made]) -> _Made | Exception:
    try:
        return await task
    except Exception as error:  # noqa: BLE001 - handed to whoever asked
        return error
