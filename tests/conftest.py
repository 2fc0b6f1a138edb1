"""Tests that run beside each other."""

import os

# Threads of several processes that wait by spinning take the cores from one another: tests of the
# fit took four times as long in two processes with two threads each.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
