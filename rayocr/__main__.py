"""Implements `python -m rayocr`."""

import os
import sys

# `python -m` searches the working folder first, where a user's queue.py must not replace Python's. For this reason pathlib is not
# used here.
_HERE = os.getcwd()  # noqa: PTH109
if sys.path[:1] == [_HERE] and os.path.dirname(os.path.dirname(os.path.abspath(__file__))) != _HERE:  # noqa: PTH100
    del sys.path[0]

from rayocr.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
