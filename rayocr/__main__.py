"""`python -m rayocr`."""

import os
import sys

# `python -m` searches the working folder first: a user's queue.py there must not replace Python's. Not pathlib, for that reason.
_HERE = os.getcwd()  # noqa: PTH109
if sys.path[:1] == [_HERE] and os.path.dirname(os.path.dirname(os.path.abspath(__file__))) != _HERE:  # noqa: PTH100
    del sys.path[0]

from rayocr.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
