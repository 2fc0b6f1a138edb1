"""`python -m dip`: the same as the installed command `dip`."""

import sys

from dip.cli import main

if __name__ == "__main__":
    sys.exit(main())
