import pytest

from dicom.errors import DamagedInstanceError
from dicom.testing import MemorySource
from dicom.window import Window

DATA = bytes(range(256)) * 1024


def test_reads_within_a_block_ask_the_source_once() -> None:
    source = MemorySource(DATA)
    window = Window(source)
    assert window.read(0, 4) == DATA[:4]
    assert window.read(60_000, 100) == DATA[60_000:60_100]
    assert source.reads == 1


def test_reads_beyond_the_block_and_backwards() -> None:
    window = Window(MemorySource(DATA))
    for offset, length in [(200_000, 8), (65_530, 100_000), (0, 1), (len(DATA), 0)]:
        assert window.read(offset, length) == DATA[offset : offset + length]


def test_the_end_of_the_object_is_damage() -> None:
    with pytest.raises(DamagedInstanceError, match="cut short"):
        Window(MemorySource(DATA)).read(len(DATA) - 4, 5)
