"""Other people's readers in front of our DICOM: one table, slide by checker.

`python -m conformance` prints it; the tests make it too, and compare it with the one in
`docs/conformance-table.md`.
"""
