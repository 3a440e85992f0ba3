"""The names of the jobs that keep what is stored; a slide's check is in `sgi.jobs.checks`."""

SCRUB = "sgi.scrub"
COPY = "sgi.copy_to_second"
STRAYS = "sgi.find_strays"
