"""`sgi` with chroma of half the width and height, as the peer compresses: for comparing alone."""

from functools import partial

from sgi.cli import main
from sgi.commands import convert

if __name__ == "__main__":
    vars(convert)["JpegOptions"] = partial(convert.JpegOptions, subsampling=(2, 2))
    main()
