"""Measurements beside peers, run by `sgi bench NAME`; see README.md. Never part of a wheel."""
