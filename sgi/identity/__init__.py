"""Whose slides are said to be: revisions of what their instances tell, made by a job."""
