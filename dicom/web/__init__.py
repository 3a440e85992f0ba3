"""DICOMweb (PS3.18) as pure mappings: queries, metadata, media types; no network, no database."""
