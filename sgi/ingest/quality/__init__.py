"""The quality gate: may a slide be read, or must it be looked at, or scanned again."""
