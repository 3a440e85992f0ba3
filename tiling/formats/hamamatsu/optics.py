"""How an NDPI says that it was lit and focused."""

from collections.abc import Iterator

from tiling.numerals import positive
from tiling.slide import BRIGHTFIELD_PATH, Illumination, OpticalPath


def read_path(filter_set: str, wavelength_nm: float | None, properties: str) -> OpticalPath:
    """Fluorescence where the image itself names its filters and their wavelength.

    The properties list every filter set of the scanner; that of the image is known by its name.
    """
    filter_set = filter_set.strip()
    own = next((said for said in _filter_sets(properties) if said.get("Name") == filter_set), {})
    excitation_nm = positive(own.get("ExcitationWaveLength"))
    emission_nm = positive(own.get("EmissionWaveLength")) or wavelength_nm
    if not filter_set or not (excitation_nm or wavelength_nm):
        return BRIGHTFIELD_PATH
    return OpticalPath(
        name=filter_set,
        illumination=Illumination.FLUORESCENCE,
        excitation_nm=excitation_nm,
        emission_nm=emission_nm,
    )


def read_focus_method(fully_automatic: int | None) -> str | None:
    """MANUAL wherever a person had a part in it (DICOM PS3.3 C.8.12.4)."""
    return {0: "MANUAL", 1: "AUTO"}.get(-1 if fully_automatic is None else fully_automatic)


def _filter_sets(properties: str) -> Iterator[dict[str, str]]:
    """The properties from each `Name` to the next."""
    said: dict[str, str] = {}
    for line in properties.splitlines():
        name, _, value = line.strip(" ;").partition("=")
        if name == "Name":
            yield said
            said = {}
        said.setdefault(name, value.strip())
    yield said
