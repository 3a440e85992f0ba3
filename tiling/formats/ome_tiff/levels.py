"""The smaller copies of an image, wherever its writer put them."""

from collections.abc import Sequence

from tiling.formats.ome_tiff.files import FileSet
from tiling.formats.ome_tiff.found import Found, Planes
from tiling.tiff import Directory
from tiling.tiff_layers import ordered_pyramid


def find_levels(
    base: Found, copies: Sequence[Found], files: FileSet, referred: set[int]
) -> list[Planes]:
    """The directories of every level, from the base upwards.

    They may hang from the base's as SubIFDs, be images by themselves (`copies`), or be reduced
    directories of the main file that no image refers to (`referred` are those that one does).
    """
    file, directory = base.first
    candidates = [
        *_sub_directories(base),
        *(copy.planes for copy in copies),
        *_reduced(base, files, referred),
    ]
    sizes = [above[0, 0][0].size(above[0, 0][1]) for above in candidates]
    chosen = ordered_pyramid(file.size(directory), sizes)
    return [base.planes, *(candidates[index] for index in chosen)]


def _sub_directories(base: Found) -> list[Planes]:
    """Levels that hang from each plane, as far as all have them."""
    below = {
        where: file.sub_directories(directory) for where, (file, directory) in base.planes.items()
    }
    return [
        {where: (base.planes[where][0], found[number]) for where, found in below.items()}
        for number in range(min(map(len, below.values())))
    ]


def _reduced(base: Found, files: FileSet, referred: set[int]) -> list[Planes]:
    """Smaller copies that lie in the main chain, in the order of the planes themselves."""
    main, planes = files.main, base.planes
    if main is None or base.image.sizes["T"] > 1:
        return []
    if any(file is not main for file, _ in planes.values()):
        return []
    by_size: dict[tuple[int, int], list[Directory]] = {}
    for index, directory in enumerate(main.directories):
        if index not in referred and main.is_reduced(directory):
            size = main.size(directory)
            by_size.setdefault((size.columns, size.rows), []).append(directory)
    places = {id(directory): index for index, directory in enumerate(main.directories)}
    in_order = sorted(planes, key=lambda where: places[id(planes[where][1])])
    return [
        {where: (main, each) for where, each in zip(in_order, reduced, strict=True)}
        for reduced in by_size.values()
        if len(reduced) == len(in_order)
    ]
