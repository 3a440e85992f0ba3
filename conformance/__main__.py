"""`python -m conformance`: write `docs/conformance-table.md` anew.

`SGI_TEST_DATA` names the folder of slides beyond our own.
"""

import os
from pathlib import Path

from conformance.table import PAGE, as_page, make_table

if __name__ == "__main__":
    data = os.environ.get("SGI_TEST_DATA")
    PAGE.write_text(as_page(make_table(Path(data) if data else None)))
