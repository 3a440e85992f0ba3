from pathlib import Path

import dicom


def test_the_package_is_ours_and_not_the_old_one_of_that_name() -> None:
    assert dicom.__file__ is not None
    assert Path(dicom.__file__).parents[1] == Path(__file__).parents[2]
