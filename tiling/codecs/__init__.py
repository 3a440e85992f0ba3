"""Compressed tiles as bytes."""
