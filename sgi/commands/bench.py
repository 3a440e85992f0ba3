"""`sgi bench NAME`: the measurements of `benchmarks/`, which live in the checkout alone."""

import importlib

from sgi.errors import ConfigurationError


def bench(name: str, *, as_json: bool) -> None:
    """Run one benchmark and print its figures; raises ConfigurationError when it is not there."""
    try:
        benchmarks = importlib.import_module("benchmarks.run")
    except ImportError:
        raise ConfigurationError(
            "The benchmarks are not installed: run this in a checkout of the project."
        ) from None
    benchmarks.run(name, as_json=as_json)
