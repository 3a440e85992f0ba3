"""MIRAX keeps its pixels beside the file: a slide copied without them must be told so."""

import configparser
from pathlib import Path

from tiling.errors import DamagedSlideError, IncompleteSlideError

_INDEX = "Slidedat.ini"
_JPEG_START = b"\xff\xd8"


def looks_like_mirax(path: Path, head: bytes) -> bool:
    """Whether the file is the preview JPEG that stands for a MIRAX slide.

    The suffix is asked besides the content, since the content is a JPEG like any other: the slide
    is in the folder of the same name.
    """
    return path.suffix.lower() == ".mrxs" and head.startswith(_JPEG_START)


def check_companions(path: Path) -> None:
    """Raise IncompleteSlideError when the folder, its index or one of its data files is absent."""
    folder = path.with_suffix("")
    if not folder.is_dir():
        raise IncompleteSlideError(
            "The folder with the same name as the .mrxs file is missing; copy it beside the file."
        )
    index = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        index.read_string((folder / _INDEX).read_bytes().decode("utf-8-sig", "replace"))
    except FileNotFoundError as error:
        raise IncompleteSlideError(_missing(_INDEX)) from error
    except configparser.Error as error:
        raise DamagedSlideError(
            f"The slide's {_INDEX} is corrupt; copy the slide's folder again from the scanner."
        ) from error
    data_files = dict(index["DATAFILE"]) if index.has_section("DATAFILE") else {}
    names = [
        name for key, name in data_files.items() if key.startswith("file_") and key != "file_count"
    ]
    names.append(index.get("HIERARCHICAL", "INDEXFILE", fallback="Index.dat"))
    for name in names:
        # A name is one part of a path: an index that points elsewhere is not followed.
        if Path(name).name != name or not (folder / name).is_file():
            raise IncompleteSlideError(_missing(Path(name).name))


def _missing(name: str) -> str:
    return (
        f"{name} is missing from the folder with the same name as the .mrxs file; "
        "copy the whole folder again."
    )
