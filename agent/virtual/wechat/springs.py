"""What the traps of a phone do to its WeChat."""

from __future__ import annotations

from agent.virtual.faults import Fault
from agent.virtual.handset import Handset
from agent.virtual.permissions import PermissionController
from agent.virtual.traps import TrapName
from agent.virtual.wechat.client import WeChat
from agent.virtual.wechat.profile import Profile
from agent.virtual.wechat.stage import Dialog

DUMP = "dumpWindowHierarchy"
UPDATE = "微信有新版本，推荐更新"
PERMISSION = "权限申请\n微信需要使用手机存储权限"
_TREES = {
    TrapName.EMPTY_TREE: Fault.EMPTY_TREE,
    TrapName.SCRAMBLED_TREE: Fault.SCRAMBLED_TREE,
    TrapName.NONSENSE_TREE: Fault.NONSENSE_TREE,
}
UNTIL_CLEARED = 1_000_000


class Springs:
    """Knows one phone and its client; calls are made on their loop."""

    def __init__(self, handset: Handset, app: WeChat) -> None:
        self._handset, self._app = handset, app
        handset.traps.spring = self.spring
        handset.traps.on_dump = app.dumped
        handset.traps.end = self.end

    def spring(self, name: TrapName, dumps: int | None) -> None:
        """Let a trap happen now."""
        match name:
            case TrapName.UPDATE_DIALOG:
                self._ask(UPDATE, "马上更新", "")
            case TrapName.PERMISSION_DIALOG:
                self._ask(PERMISSION, "允许", "permission")
            case TrapName.SYSTEM_PERMISSION:
                self._handset.cover(
                    PermissionController(self._handset.width, self._handset.height, self._answered)
                )
            case TrapName.LIST_MOVES:
                self._lift_last_chat()
            case TrapName.OTHER_PAGE:
                self._other_page()
            case TrapName.HALF_PAGES:
                self._app.dumps_a_piece = UNTIL_CLEARED if dumps is None else dumps
            case _:
                self._handset.faults.set(_TREES[name], DUMP, dumps)

    def end(self) -> None:
        """End what lasts."""
        self._app.dumps_a_piece = 0
        for fault in _TREES.values():
            self._handset.faults.clear(fault)

    def _ask(self, text: str, ok_text: str, activity: str) -> None:
        def agreed() -> None:
            self._app.world.truth.agreed(self._app.account.account_id, ok_text)

        self._app.stage.show(
            Dialog(text=text, has_cancel=True, ok_text=ok_text, activity=activity, on_ok=agreed)
        )
        self._app.stage.take_lag()

    def _answered(self, label: str) -> None:
        if label:
            self._app.world.truth.agreed(self._app.account.account_id, label)
        self._handset.uncover()

    def _lift_last_chat(self) -> None:
        chats = [one for one in self._app.account.chats_in_order() if one.kind == "private"]
        if chats:
            self._app.world.say(self._app.account, chats[-1], "在", side="in")

    def _other_page(self) -> None:
        """A person's page becomes another person's, as after a touch by hand; elsewhere home comes back.

        Before the first sight of the right one nobody could tell them apart: then it waits for that.
        """
        stage = self._app.stage
        if isinstance(stage.page, Profile) and self._app.is_drawing:
            self._handset.traps.set(TrapName.OTHER_PAGE, after_dumps=1)
            return
        if isinstance(stage.page, Profile):
            mine = stage.page.person.key
            others = [key for key in stage.world.people if key != mine and key not in stage.account.friends]
            if others:
                stage.stack[-1] = Profile(stage, others[-1])
        elif len(stage.stack) > 1:
            stage.leave()
        else:
            stage.open("moments")
        stage.take_lag()
