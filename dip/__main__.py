"""`python -m dip`, and the installed command `dip`."""

import signal
import sys

# Until a command has begun there is nothing to save: Ctrl-C ends the process at once.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from dip.cli import main

if __name__ == "__main__":
    sys.exit(main())
