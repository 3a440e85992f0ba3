"""Fixtures that more than one package's tests use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_slides() -> Path:
    """The folder of test slides: `SGI_TEST_DATA`, or `shared/slides` beside the project."""
    beside = Path(__file__).parents[2] / "shared" / "slides"
    folder = Path(os.environ.get("SGI_TEST_DATA", beside))
    if not folder.is_dir():
        pytest.skip("there are no test slides on this machine; set SGI_TEST_DATA to their folder")
    return folder
