"""Retention at work: locks on objects, and destruction by a job that may be killed anywhere."""
