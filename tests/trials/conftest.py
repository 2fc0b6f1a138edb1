"""Tells at the end what was tried, how often, and by which seed."""

from pytest import TerminalReporter
from trials.trying import SEED, TRIED


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """A line for each kind."""
    if TRIED:
        terminalreporter.section(f"trials, TRIAL_SEED={SEED}")
    for kind, number in TRIED.items():
        terminalreporter.line(f"{number:6,} {kind}")
