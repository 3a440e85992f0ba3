"""`sgi bench NAME`: the measurements of `benchmarks/`, which live in the checkout alone."""

import importlib
import sys
from pathlib import Path

import sgi
from sgi.errors import ConfigurationError


def bench(name: str, *, as_json: bool) -> None:
    """Run one benchmark and print its figures; raises ConfigurationError when it is not there."""
    checkout = Path(sgi.__file__).resolve().parents[1]
    if not (checkout / "benchmarks" / "run.py").is_file():
        raise ConfigurationError(
            "The benchmarks are not installed: run this in a checkout of the project."
        )
    # First, so that no other distribution's folder of that name comes before.
    sys.path.insert(0, str(checkout))
    importlib.import_module("benchmarks.run").run(name, as_json=as_json)
