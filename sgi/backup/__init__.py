"""Backups of the catalogue, from which it can be brought back as it was at any moment."""
