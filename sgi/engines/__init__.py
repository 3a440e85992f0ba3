"""The engines `sgi up` brings along: a PostgreSQL and a SeaweedFS of its own, on this machine."""

from sgi.engines.errors import EngineError
from sgi.engines.postgres import EmbeddedPostgres
from sgi.engines.seaweed import EmbeddedSeaweed

__all__ = ["EmbeddedPostgres", "EmbeddedSeaweed", "EngineError"]
