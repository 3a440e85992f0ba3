"""What the jobs of the keeping queue work with: moves between tiers, scrubs, destruction."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import procrastinate

from sgi.catalogue.database import Database
from sgi.settings import Settings
from sgi.stores import Stores


@dataclass(frozen=True, slots=True)
class Keeping:
    """Handed to whoever registers tasks of the keeping queue."""

    settings: Settings
    database: Database
    stores: Stores
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set when the worker stops: long work in threads looks at it and gives up."""


Register = Callable[[procrastinate.App, Keeping], None]
"""Adds the tasks of one kind of work to the queue."""
