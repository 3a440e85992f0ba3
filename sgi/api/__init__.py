"""The web: one file a resource; who may call what stands in `sgi.access.rules`."""
