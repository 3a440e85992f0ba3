"""Whole slides as pixels and pyramids: no DICOM, no network, no database."""
