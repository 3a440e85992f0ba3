"""Proof that what is stored is what was written, repair, and alarms."""
