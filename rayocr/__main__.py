"""`python -m rayocr`."""

import sys

from rayocr.cli import main

if __name__ == "__main__":
    sys.exit(main())
