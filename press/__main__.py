"""Lets `python -m press` do what `python build.py` does."""

import sys

from press.cli import main

sys.exit(main())
