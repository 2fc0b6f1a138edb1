"""Makes the site: `python build.py [build|serve|check|why|blocks|new|import-csv]`."""

import sys

from press.cli import main

if __name__ == "__main__":
    sys.exit(main())
