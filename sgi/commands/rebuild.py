"""`sgi rebuild`: the catalogue again, from the object stores alone."""

from rich.console import Console
from rich.progress import Progress

from sgi.integrity.rebuild import rebuild
from sgi.stores import Stores


async def rebuild_catalogue(url: str, stores: Stores, *, missing: bool = False) -> bool:
    """True when everything that lies in the stores was taken.

    Raises ConflictError for a database that is not empty, and the stores' errors.
    """
    with Progress(console=Console(stderr=True)) as bars:
        bar = bars.add_task("slides", total=None)
        rebuilt = await rebuild(
            url,
            stores,
            missing=missing,
            told=lambda done, total: bars.update(bar, completed=done, total=total),
        )
    errors = Console(stderr=True)
    for problem in rebuilt.problems:
        errors.print(problem, style="red", markup=False)
    for slide_id in rebuilt.still_held:
        errors.print(
            f"slide {slide_id}: its legal hold is lifted in the bucket alone, and goes on; if it "
            "is to end, lift it beside the slide.",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )
    told = (
        f"{rebuilt.slides} slides of {rebuilt.establishments} establishments rebuilt, "
        f"{rebuilt.decisions} decisions, {len(rebuilt.problems)} problems"
    )
    if missing:
        told += f"; {rebuilt.known} slides were there already"
    if rebuilt.asked_again:
        told += f"; {rebuilt.asked_again} destructions are to be approved again"
    if rebuilt.still_held:
        told += f"; {len(rebuilt.still_held)} legal holds go on until somebody lifts them again"
    Console().print(told)
    return not rebuilt.problems
