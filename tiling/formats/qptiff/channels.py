"""Channels of a fluorescence scan as optical paths.

A channel names its filters by their part numbers; what these let through stands in the profile of
the scan, which is with the first channel.
"""

from tiling.numerals import positive
from tiling.slide import Illumination, OpticalPath
from tiling.xml_tree import Element

_WIDEST_BAND_NM = 100.0
"""Beyond this a filter lets through all from somewhere on, and its middle is no wavelength."""


def optical_path(described: Element, profile: Element | None) -> OpticalPath:
    """A channel by its directory's description."""
    pair = _filter_pair(described, profile)
    return OpticalPath(
        name=_name(described),
        illumination=Illumination.FLUORESCENCE,
        colour=_colour(described.words("Color")),
        excitation_nm=_middle_nm(pair, "ExcitationFilter"),
        emission_nm=_middle_nm(pair, "EmissionFilter"),
    )


def _name(described: Element) -> str | None:
    """The stained molecule, and the dye that shows it."""
    dye, marker = described.words("Name"), described.words("Biomarker")
    return f"{marker} ({dye})" if marker and dye and marker != dye else marker or dye


def _colour(text: str | None) -> tuple[int, int, int] | None:
    parts = [part.strip() for part in (text or "").split(",")]
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in parts):
        return None
    if any(len(part) > 3 or int(part) > 255 for part in parts):
        return None
    red, green, blue = (int(part) for part in parts)
    return (red, green, blue) if red or green or blue else None


def _filter_pair(described: Element, profile: Element | None) -> Element | None:
    """The filters of a channel; None where the profile has none of that name, or several."""
    identifier = described.words("Responsivity", "Filter", "FilterID")
    if identifier is None or profile is None:
        return None
    named = identifier.partition("_")[2]
    bands = profile.all("ScanBands", "ScanBands-i", "ExcitedFilterPair")
    ours = [band for band in bands if _parts(band) == named]
    if len(ours) > 1:
        ours = [band for band in ours if _dye(band) == identifier.partition("_")[0]]
    return ours[0] if len(ours) == 1 else None


def _parts(pair: Element) -> str:
    """The filters as a channel names them."""
    names = []
    for kind in ("EmissionFilter", "ExcitationFilter"):
        fixed = pair.first("FilterPair", kind, "FixedFilter")
        maker = fixed.words("Manufacturer") if fixed is not None else None
        part = fixed.words("PartNumber") if fixed is not None else None
        names.append(f"{maker}:{part}")
    return " / ".join(names)


def _dye(pair: Element) -> str | None:
    """Which of the dyes that the filters are for was meant."""
    names = pair.all("FilterPair", "ExcitationFilter", "BandNames", "BandNames-i")
    index = _band_index(pair)
    return names[index].text if index is not None and index < len(names) else None


def _band_index(pair: Element) -> int | None:
    text = pair.words("BandIndex") or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else None


def _middle_nm(pair: Element | None, kind: str) -> float | None:
    """The middle of the band that was used; None for one too wide to have a middle."""
    index = _band_index(pair) if pair is not None else None
    if pair is None or index is None:
        return None
    bands = pair.all("FilterPair", kind, "FixedFilter", "TransmissionBands", "TransmissionBands-i")
    if index >= len(bands):
        return None
    low, high = (positive(bands[index].words(end)) for end in ("Min", "Max"))
    if low is None or high is None or not low < high <= low + _WIDEST_BAND_NM:
        return None
    return (low + high) / 2
