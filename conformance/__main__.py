"""`python -m conformance`: print the table, as it is kept in the documentation."""

import os
from pathlib import Path

from conformance.table import as_markdown, make_table

if __name__ == "__main__":
    data = os.environ.get("SGI_TEST_DATA")
    print(as_markdown(make_table(Path(data) if data else None)))
