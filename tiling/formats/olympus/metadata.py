"""What the tags say of a scan: its scale, its time, what took it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice

from tiling.formats.olympus.images import AXIS, COLLECTION, Image
from tiling.formats.olympus.tags import Field
from tiling.slide import SlideMetadata

_UM = "10^-6m^1"
_SPACING, _SPACING_UNIT, _CREATED = 2019, 2020, 2015
_DEVICES, _SETTINGS, _MAGNIFICATION = 2043, 120114, 120060
_DEVICE_NAME, _DEVICE_KIND, _DEVICE_MODEL, _DEVICE_MAKER = 120116, 120130, 120132, 120133
_MICROSCOPE = 40500
_DOCUMENT, _PRODUCT, _PRODUCT_VERSION = 2, 34, 35
_COLLECTION_PROPERTIES, _SLIDE, _BARCODE = 2004, 2062, 120635
_NOT_READ = {"ND"}
"""What stands for the barcode of a slide that has none."""
_MAKER = "Olympus"
"""Of this format; its successor Evident still writes it."""
_MOST_NUMBERS = 16
"""Longer rows of numbers are tables of colours and drawings."""
_MOST_VENDOR_VALUES = 4096


def read_metadata(root: Field, image: Image) -> SlideMetadata:
    properties = image.properties
    document = root.first(_DOCUMENT) or Field(_DOCUMENT)
    microscope = _microscope(properties)
    product = [document.text(tag) for tag in (_PRODUCT, _PRODUCT_VERSION)]
    barcode = root.text(COLLECTION, _COLLECTION_PROPERTIES, _SLIDE, _BARCODE)
    return SlideMetadata(
        pixel_spacing_mm=_spacing_mm(properties),
        objective_power=_objective_power(properties),
        scanned_at=_scanned_at(properties.number(_CREATED)),
        manufacturer=microscope.text(_DEVICE_MAKER) or _MAKER,
        model=microscope.text(_DEVICE_MODEL) or microscope.text(_DEVICE_NAME),
        software=" ".join(filter(None, product)) or None,
        barcode=None if barcode in _NOT_READ else barcode,
        vendor=dict(_vendor(root, image)),
    )


def _spacing_mm(properties: Field) -> tuple[float, float] | None:
    spacing_um = properties.numbers(_SPACING)
    if len(spacing_um) != 2 or properties.text(_SPACING_UNIT) not in (_UM, None):
        return None
    across, down = spacing_um
    return (down / 1000, across / 1000) if across > 0 and down > 0 else None


def _devices(properties: Field) -> tuple[Field, ...]:
    """The parts of the microscope, numbered from 1."""
    devices = properties.first(_DEVICES)
    return devices.fields if devices else ()


def _objective_power(properties: Field) -> float | None:
    powers = (device.number(_SETTINGS, _MAGNIFICATION) for device in _devices(properties))
    return next((power for power in powers if power and power > 0), None)


def _microscope(properties: Field) -> Field:
    frames = (d for d in _devices(properties) if d.number(_DEVICE_KIND) == _MICROSCOPE)
    return next(frames, Field(_DEVICES))


def _scanned_at(seconds: float | None) -> datetime | None:
    """Seconds since 1970, in UTC; 0 where a program did not know."""
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _vendor(root: Field, image: Image) -> Iterator[tuple[str, str]]:
    """Every short value, by the numbers of its tags: the file has no other names."""
    document = root.first(_DOCUMENT)
    collection = root.first(COLLECTION, _COLLECTION_PROPERTIES)
    told = [document, collection, image.properties, *image.field.all(AXIS)]
    values = chain.from_iterable(_flatten(field, "") for field in told if field)
    return islice(values, _MOST_VENDOR_VALUES)


def _flatten(field: Field, path: str) -> Iterator[tuple[str, str]]:
    name = f"{path}.{field.tag}" if path else str(field.tag)
    name = name if field.index is None else f"{name}[{field.index}]"
    if isinstance(field.value, str):
        if field.value:
            yield name, field.value
    elif 0 < len(field.value) <= _MOST_NUMBERS:
        yield name, " ".join(f"{number:.15g}" for number in field.value)
    for below in field.fields:
        yield from _flatten(below, name)
