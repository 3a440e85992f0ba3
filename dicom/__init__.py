"""Whole slides as DICOM: datasets, bytes and frames; no network, no database, no object store."""
