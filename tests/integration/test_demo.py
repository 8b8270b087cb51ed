"""The whole farm as real processes, with a phone unplugged and an agent killed in the middle of the job."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASKED = "--exit --unplug --kill --phones 5 --customers 20"


@pytest.mark.timeout(300)
def test_demo_agrees_with_the_world_although_phones_fall_out(tmp_path):
    done = subprocess.run(
        [sys.executable, "scripts/demo_farm", *ASKED.split(), "--folder", str(tmp_path / "farm")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 of 20 customers with the right outcome" in done.stdout
    assert "Controller and world agree." in done.stdout
    assert "002: unplugged" in done.stdout
    assert "003: its agent" in done.stdout
