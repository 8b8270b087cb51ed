"""What explorations found stands at the end of a run, whatever passed."""

from __future__ import annotations

import pytest

EXPLORATION = "exploration"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the line of each exploration, also from processes that ran apart."""
    lines = [
        str(line)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, line in report.user_properties
        if name == EXPLORATION
    ]
    if lines:
        terminalreporter.section("explorations")
        for line in lines:
            terminalreporter.write_line(line)
