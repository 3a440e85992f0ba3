"""Each checker is asked the same question: is this slide what was written."""
