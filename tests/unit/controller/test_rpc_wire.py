"""What a first frame claims of an earlier controller counts only if that was this farm's."""

from __future__ import annotations

import pytest

from controller.rpc.wire import greeting_of
from protos.fleet_pb2 import Hello


@pytest.mark.parametrize(("said_by", "counts"), [("farm-a", True), ("", True), ("farm-b", False)])
def test_only_this_farms_epochs_count(said_by: str, counts: bool) -> None:
    hello = Hello(
        serial="s",
        spool_id="x",
        last_farm_id=said_by,
        last_farm_epoch=3,
        last_phone_epoch=9,
        spool_highest=8,
        spool_acked=7,
    )
    greeting = greeting_of(hello, "farm-a")
    claims = (greeting.last_farm_epoch, greeting.last_phone_epoch, greeting.spool_acked)
    assert claims == ((3, 9, 7) if counts else (0, 0, 0))
