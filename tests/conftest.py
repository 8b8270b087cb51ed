"""What explorations found stands at the end of a run, whatever passed."""

from __future__ import annotations

import pytest

EXPLORATION = "exploration"
# Files that wait longest, longest first: begun last, one of them would be all that still runs.
LONGEST = (
    "test_actions.py",
    "test_warnings.py",
    "test_quota_machine.py",
    "test_friend_add.py",
    "test_screens.py",
    "test_agent_life.py",
    "test_capture_worlds.py",
    "test_hand.py",
    "test_cli.py",
    "test_likes.py",
    "test_actions_proof.py",
    "test_reply.py",
    "test_accept.py",
    "test_marks.py",
    "test_keeper.py",
    "test_demo.py",
    "test_fence.py",
    "test_cli_violations.py",
    "test_cli_quotas.py",
    "test_power_loss.py",
    "test_alerting.py",
    "test_cli_words.py",
    "test_sweep.py",
    "test_chat_capture.py",
    "test_pictures.py",
    "test_chat_guards.py",
    "test_jobs_machine.py",
    "test_cli_chats.py",
    "test_kill_loops.py",
    "test_assist.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; within and behind them the order stays as it was drawn."""
    rank = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


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
