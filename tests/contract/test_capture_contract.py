"""How chats may be read, what of that is enforced on arrival, and what people read out, on both databases."""

import pytest

from controller.capturerules import CaptureMode, MediaPolicy
from controller.captures import RuleParts, verdict
from controller.chatexport import Cursor, Part, Wanted
from controller.clock import HOUR_MS, MINUTE_MS, FixedClock
from controller.core import Change, Core
from controller.errors import BadRequest, UnknownConversation
from controller.model import AccountId
from controller.moneybook import Asked
from controller.periods import Period
from controller.records import ChatRemoval, Gap, Message
from controller.search import Query, words_of
from protos.facts import ChatRemoved, CoverageSeen, GapSeen, MessageChanged, MessageSeen, conversation_key
from tests.support.backends import Backend
from tests.support.clock import START_MS
from tests.support.corefarm import Handset, handset

ACCOUNT = AccountId("wx001")
WANG = conversation_key("王先生", "private")
LI = conversation_key("李女士", "private")


def said(text: str, position: int, *, title: str = "王先生", side: str = "in", **more: object) -> MessageSeen:
    parts: dict[str, object] = {
        "conversation_key": conversation_key(title, "private"),
        "conversation_title": title,
        "conversation_kind": "private",
        "position": position,
        "side": side,
        "kind": "text",
        "text": text,
        "time_label": "",
        "ambiguous": False,
    }
    return MessageSeen(**{**parts, **more})  # type: ignore[arg-type]  # the fields are typed where they are read


def signed(core: Core, number: int = 1, *, version: str = "v1") -> Handset:
    phone = handset(core, number, holder="王芳")
    core.notices.record("王芳", version=version, how="paper", actor="op")
    return phone


def clock_of(core: Core) -> FixedClock:
    assert isinstance(core.clock, FixedClock)
    return core.clock


def texts(core: Core) -> list[str]:
    chats = core.archive.conversations()
    return [message.text for chat in chats for message in core.archive.messages(chat.id)]


def causes(core: Core) -> list[str]:
    return [gap.cause for chat in core.archive.conversations() for gap in core.archive.gaps(chat.id)]


# ---- notices


def test_only_the_version_in_force_lets_anything_be_captured(backend: Backend) -> None:
    core = backend.core(notice_version="v2")
    phone = signed(core, version="v1")
    assert not core.fleet.settings(phone.phone_id).capture_allowed
    shown = core.fleet.phone(phone.phone_id)
    assert (shown.state, shown.cause) == ("no_notice", "the holder was told version v1, current is v2")
    phone.say(said("早", 1))
    assert texts(core) == []
    core.notices.record("王芳", version="v2", how="paper", actor="op")
    assert core.fleet.settings(phone.phone_id).capture_allowed
    phone.say(said("好", 2))
    assert texts(core) == ["好"]
    assert core.notices.standing("王芳").why == ""


def test_a_new_version_stops_capture_and_covers_what_was_read_before_it(backend: Backend) -> None:
    core = backend.core(notice_version="v1")
    phone = signed(core)
    clock_of(core).advance(HOUR_MS)
    renewed = backend.core(notice_version="v2")
    again = Handset(core=renewed, phone_id=phone.phone_id, serial=phone.serial, spool_id=phone.spool_id)
    again.greet()
    assert not renewed.fleet.settings(phone.phone_id).capture_allowed
    again.say(said("before", 1), at_ms=START_MS + HOUR_MS - 1)
    again.say(said("after", 2), at_ms=START_MS + HOUR_MS)
    assert texts(renewed) == ["before"]
    # The same version at a restart begins no new time.
    clock_of(core).advance(HOUR_MS)
    with renewed._ledger.look() as tx:
        before = tx.notice_versions()
    third = backend.core(notice_version="v2")
    with third._ledger.look() as tx:
        assert tx.notice_versions() == before
        assert [one.version for one in before] == ["v1", "v2"]


def test_a_withdrawn_notice_ends_capture_at_once_and_needs_a_reason(core: Core) -> None:
    phone = signed(core)
    changes: list[Change] = []
    core.watch(changes.append)
    with pytest.raises(BadRequest):
        core.notices.withdraw("王芳", reason=" ", actor="op")
    clock_of(core).advance(MINUTE_MS)
    assert core.notices.withdraw("王芳", reason="asked for it", actor="op") == 1
    assert [change.phone_id for change in changes] == [phone.phone_id]
    assert not core.fleet.settings(phone.phone_id).capture_allowed
    assert core.fleet.phone(phone.phone_id).cause == "the holder's notice was withdrawn"
    entry = core.audit.entries(limit=1)[0]
    assert (entry.what, entry.object, entry.reason) == ("notice.withdraw", "王芳", "asked for it")
    phone.say(said("read before", 1), at_ms=START_MS + 1)
    phone.say(said("read after", 2), at_ms=START_MS + MINUTE_MS)
    assert texts(core) == ["read before"]
    assert causes(core) == ["no_notice"]
    with pytest.raises(BadRequest):
        core.notices.withdraw("王芳", reason="again", actor="op")
    assert [one.withdrawn_at_ms for one in core.notices.history("王芳")] == [START_MS + MINUTE_MS]


# ---- rules


def test_rules_reach_the_agent_at_once_and_stand_in_the_diary(core: Core) -> None:
    phone = signed(core)
    changes: list[Change] = []
    core.watch(changes.append)
    parts = RuleParts(
        mode="passive", hours="mon-fri 8-20", sweep_hours="mon 9-10", first_days=7, first_pages=3
    )
    core.captures.set_rules(ACCOUNT, parts, actor="op")
    assert [change.phone_id for change in changes] == [phone.phone_id]
    told = core.fleet.settings(phone.phone_id)
    assert told.capture_mode == CaptureMode.PASSIVE
    assert [(one.start_min, one.end_min) for one in told.capture_windows][:2] == [(480, 1200), (1920, 2640)]
    assert [(one.start_min, one.end_min) for one in told.sweep_windows] == [(540, 600)]
    assert (told.first_days, told.first_pages, told.media, told.time_zone) == (7, 3, "", "Asia/Shanghai")
    assert told.shown_notice == "工作手机 001 · 工作聊天记录中 周一至周五 08:00-20:00"
    entry = core.audit.entries(limit=1)[0]
    assert (entry.what, entry.object) == ("capture.set", "wx001")
    assert "hours=mon-fri 08:00-20:00" in entry.reason
    # One part alone leaves the others.
    core.captures.set_rules(ACCOUNT, RuleParts(hours="always"), actor="op")
    kept = core.captures.rules(ACCOUNT)
    assert (kept.mode, kept.capture_windows, kept.first_days) == (CaptureMode.PASSIVE, (), 7)


@pytest.mark.parametrize(
    "parts",
    [
        RuleParts(),
        RuleParts(mode="secret"),
        RuleParts(hours="sometimes"),
        RuleParts(media="videos"),
        RuleParts(first_days=0),
        RuleParts(first_pages=10_000),
    ],
)
def test_rules_that_cannot_be_understood_change_nothing(core: Core, parts: RuleParts) -> None:
    handset(core, 1)
    with pytest.raises(BadRequest):
        core.captures.set_rules(ACCOUNT, parts, reason="r", actor="op")
    assert core.captures.rules(ACCOUNT).set_at_ms == 0


def test_pictures_are_kept_only_for_a_reason(core: Core) -> None:
    handset(core, 1)
    with pytest.raises(BadRequest):
        core.captures.set_rules(ACCOUNT, RuleParts(media="pictures"), actor="op")
    core.captures.set_rules(ACCOUNT, RuleParts(media="pictures"), reason="damage claims", actor="op")
    assert core.captures.rules(ACCOUNT).media is MediaPolicy.PICTURES
    core.captures.set_rules(ACCOUNT, RuleParts(media="facts"), actor="op")
    assert core.captures.rules(ACCOUNT).media is MediaPolicy.FACTS


def test_a_private_chat_is_told_to_the_agent_and_refused_on_arrival(core: Core) -> None:
    phone = signed(core)
    phone.say(said("kept", 1))
    with pytest.raises(BadRequest):
        core.captures.exclude(ACCOUNT, "王先生", reason="", actor="op")
    core.captures.exclude(ACCOUNT, " 王先生 ", reason="a relative", actor="op")
    assert core.fleet.settings(phone.phone_id).excluded_keys == (WANG,)
    entry = core.audit.entries(limit=1)[0]
    assert entry.what == "chat.exclude"
    assert "王先生" not in entry.object + entry.reason
    phone.say(said("private", 2), said("open", 1, title="李女士"))
    assert sorted(texts(core)) == ["kept", "open"]
    assert causes(core) == ["excluded"]
    with core._ledger.work() as work:
        assert verdict(work, ACCOUNT, WANG, START_MS) == "excluded"
        assert verdict(work, ACCOUNT, LI, START_MS) == ""
        assert verdict(work, AccountId("nobody's"), LI, START_MS) == "no_notice"
    assert core.captures.include(ACCOUNT, "王先生", reason="moved away", actor="op")
    assert not core.captures.include(ACCOUNT, "王先生", reason="again", actor="op")
    assert core.fleet.settings(phone.phone_id).excluded_keys == ()
    phone.say(said("again", 3))
    assert "again" in texts(core)


def test_what_was_read_outside_the_hours_is_refused(core: Core) -> None:
    phone = signed(core)
    clock_of(core).advance(MINUTE_MS)
    # START_MS is a Saturday.
    core.captures.set_rules(ACCOUNT, RuleParts(hours="mon 8-9"), actor="op")
    phone.say(said("read before the hours were set", 1), at_ms=START_MS + 1)
    phone.say(said("read after", 2), at_ms=START_MS + MINUTE_MS)
    assert texts(core) == ["read before the hours were set"]
    assert causes(core) == ["outside_hours"]


# ---- coverage


def test_hours_add_up_spans_gaps_and_silence(core: Core) -> None:
    phone = signed(core)
    hour = START_MS - START_MS % HOUR_MS
    clock_of(core).advance(2 * HOUR_MS)
    phone.say(
        CoverageSeen(from_ms=hour, to_ms=hour + 20 * MINUTE_MS, state="seen", cause=""),
        CoverageSeen(
            from_ms=hour + 20 * MINUTE_MS, to_ms=hour + 30 * MINUTE_MS, state="blind", cause="no_ids"
        ),
        CoverageSeen(
            from_ms=hour + HOUR_MS, to_ms=hour + HOUR_MS + MINUTE_MS, state="passive", cause="in_hand"
        ),
        GapSeen(
            conversation_key=WANG,
            conversation_title="王先生",
            before_position=1,
            cause="no_overlap",
            from_ms=hour,
            to_ms=hour + MINUTE_MS,
        ),
        at_ms=hour + HOUR_MS + MINUTE_MS,
        account_id=ACCOUNT,
    )
    first, second = core.coverage.hours([ACCOUNT], from_ms=hour, to_ms=hour + 2 * HOUR_MS)
    assert {state: ms // MINUTE_MS for state, ms in first.ms.items()} == {
        "seen": 20,
        "passive": 0,
        "blind": 10,
        "paused": 0,
        "unwatched": 30,
    }
    assert (first.causes, first.gap_causes) == ({"blind: no_ids": 10 * MINUTE_MS}, {"no_overlap": 1})
    assert (second.ms["passive"], second.gaps) == (MINUTE_MS, 0)
    (chat,) = core.archive.conversations()
    (watched,) = core.coverage.of_chats([(chat.id, chat.account_id, chat.key)])
    assert (watched.seen_until_ms, watched.passive_until_ms) == (
        hour + 20 * MINUTE_MS,
        hour + HOUR_MS + MINUTE_MS,
    )
    assert (watched.gaps, watched.is_private) == (1, False)
    # What is to come is not shown as anything.
    later = core.coverage.hours([ACCOUNT], from_ms=hour, to_ms=hour + 99 * HOUR_MS)
    assert later[-1].to_ms == core.clock.now_ms()


def test_what_goes_on_is_one_span_an_hour_however_often_it_is_told(core: Core) -> None:
    phone = signed(core)
    hour = START_MS - START_MS % HOUR_MS
    clock_of(core).advance(2 * HOUR_MS)
    told = [(minute, minute + 5, "seen") for minute in range(0, 75, 5) if minute != 20]
    told[3:3] = [(17, 22, "blind")]  # over what is told after it
    for from_min, to_min, state in [*told, (0, 15, "seen")]:
        phone.say(
            CoverageSeen(
                from_ms=hour + from_min * MINUTE_MS, to_ms=hour + to_min * MINUTE_MS, state=state, cause=""
            ),
            at_ms=hour + 2 * HOUR_MS,
            account_id=ACCOUNT,
        )
    with core._ledger.work() as work:
        spans = work.tx.coverage_spans(ACCOUNT, from_ms=hour, to_ms=hour + 2 * HOUR_MS)
    assert [
        ((one.from_ms - hour) // MINUTE_MS, (one.to_ms - hour) // MINUTE_MS, one.state) for one in spans
    ] == [(0, 17, "seen"), (17, 22, "blind"), (25, 60, "seen"), (60, 75, "seen")]


def test_an_account_that_was_never_watched_shows_so(core: Core) -> None:
    handset(core, 1)
    clock_of(core).advance(HOUR_MS)
    hours = core.coverage.hours([ACCOUNT], from_ms=START_MS, to_ms=START_MS + HOUR_MS)
    assert sum(hour.ms["unwatched"] for hour in hours) == HOUR_MS
    ((watched),) = core.coverage.of_chats([(1, ACCOUNT, "k")])
    assert (watched.seen_until_ms, watched.passive_until_ms) == (None, None)


# ---- search


def query(text: str, **more: object) -> Query:
    return Query(words=words_of(text), **more)  # type: ignore[arg-type]  # the fields are typed where they are read


def found(core: Core, text: str, **more: object) -> list[str]:
    return [
        one.text for one in core.search.find(query(text, **more), reason="complaint", actor="op").messages
    ]


def test_two_characters_are_found_newest_first_and_all_words_count(core: Core) -> None:
    one, two = signed(core, 1), signed(core, 2)
    one.say(said("请转账给我", 1), said("转 账", 2), said("账转", 3))
    # All pairs of 优惠券 stand in the third, the word does not.
    two.say(said("已经转账了 Thanks", 1), said("优惠券", 2), said("优惠 惠券", 3))
    assert found(core, "优惠券") == ["优惠券"]
    assert found(core, "转账") == ["已经转账了 Thanks", "请转账给我"]
    assert found(core, "thanks 转账") == ["已经转账了 Thanks"]
    assert found(core, "转账 优惠") == []
    assert found(core, "转账", phone_ids=(one.phone_id,)) == ["请转账给我"]
    assert found(core, "转账", phone_ids=(one.phone_id, two.phone_id)) == ["已经转账了 Thanks", "请转账给我"]
    assert found(core, "转账", account_id=AccountId("wx002")) == ["已经转账了 Thanks"]
    entry = core.audit.entries(limit=1)[0]
    assert (entry.what, entry.object, entry.reason) == ("chat.search", "wx002: 转账", "complaint")


def test_a_search_goes_on_below_its_last_message(core: Core) -> None:
    phone = signed(core)
    phone.say(*(said(f"退款 {n}", n) for n in range(1, 8)))
    seen: list[str] = []
    before_id: int | None = None
    while True:
        page = core.search.find(query("退款", limit=3, before_id=before_id), reason="r", actor="op")
        seen += [one.text for one in page.messages]
        if page.next_before_id is None:
            break
        before_id = page.next_before_id
    assert seen == [f"退款 {n}" for n in range(7, 0, -1)]


def test_a_search_is_bound_to_a_time_as_far_as_it_is_known(core: Core) -> None:
    phone = signed(core)
    day = 24 * HOUR_MS
    phone.say(
        said("退款 old", 1, shown_from_ms=START_MS - 2 * day, shown_to_ms=START_MS - day),
        said("退款 maybe", 2, shown_from_ms=START_MS - 2 * day, shown_to_ms=START_MS),
        said("退款 new", 3),
    )
    period = Period(from_ms=START_MS - MINUTE_MS, to_ms=START_MS + 1)
    assert found(core, "退款", period=period) == ["退款 new", "退款 maybe"]


@pytest.mark.parametrize("text", ["", "  ", "!?", " ".join(f"w{n}" for n in range(21)), "长" * 201])
def test_a_search_for_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        words_of(text)


def test_without_a_reason_nothing_is_searched_or_exported(core: Core) -> None:
    with pytest.raises(BadRequest):
        core.search.find(query("转账"), reason=" ", actor="op")
    with pytest.raises(BadRequest):
        core.exports.page(Wanted(), None, told="all", reason="", actor="op")
    assert core.audit.entries() == []


# ---- money


def test_the_book_lists_money_as_last_shown_and_never_guesses_an_amount(core: Core) -> None:
    phone = signed(core)
    phone.say(
        said("", 1, kind="transfer", side="out", amount_fen=1234, state="pending"),
        said("恭喜发财", 2, kind="red_packet", state=""),
        said("hello", 3),
        MessageChanged(conversation_key=WANG, position=1, what="state", state="received"),
    )
    entries = core.moneybook.page(Asked()).entries
    assert [(one.message.kind, one.message.side) for one in entries] == [
        ("red_packet", "in"),
        ("transfer", "out"),
    ]
    assert [(one.message.amount_fen_now, one.message.state_now) for one in entries] == [
        (-1, ""),
        (1234, "received"),
    ]
    assert {one.chat.title for one in entries} == {"王先生"}
    page = core.moneybook.page(Asked(limit=1))
    assert [one.message.kind for one in page.entries] == ["red_packet"]
    below = core.moneybook.page(Asked(before_id=page.next_before_id))
    assert [one.message.kind for one in below.entries] == ["transfer"]
    assert core.moneybook.page(Asked(account_id=AccountId("other"))).entries == ()
    assert core.moneybook.page(Asked(period=Period(from_ms=START_MS + 1))).entries == ()
    assert core.moneybook.page(Asked(period=Period(from_ms=START_MS + 9 * HOUR_MS))).entries == ()
    assert len(core.moneybook.page(Asked(period=Period(to_ms=START_MS + 1))).entries) == 2


def test_pages_of_money_and_of_search_join_without_a_hole(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = signed(core)
    phone.say(said("退款 1", 1, kind="transfer"))
    phone.say(said("退款 2", 2, kind="transfer", shown_from_ms=1, shown_to_ms=10))
    phone.say(*(said(f"退款 {n}", n, kind="transfer") for n in range(3, 12)))
    monkeypatch.setattr("controller.moneybook._PAGE", 2)
    monkeypatch.setattr("controller.search._PAGE", 2)
    monkeypatch.setattr("controller.search.MAX_CANDIDATES", 3)
    assert [one.message.text for one in core.moneybook.page(Asked()).entries] == [
        f"退款 {n}" for n in range(11, 0, -1)
    ]
    # Few candidates for an answer: what is further back comes with the next one, even if this one is empty.
    period = Period(to_ms=START_MS)
    seen: list[str] = []
    before_id: int | None = None
    answers = 0
    while answers == 0 or before_id is not None:
        asked = query("退款", before_id=before_id, period=period)
        page = core.search.find(asked, reason="r", actor="op")
        seen += [one.text for one in page.messages]
        before_id = page.next_before_id
        answers += 1
    assert seen == ["退款 2"]
    assert answers == 4


# ---- export


def exported(core: Core, wanted: Wanted) -> list[Part]:
    parts: list[Part] = []
    cursor: Cursor | None = None
    while True:
        page = core.exports.page(wanted, cursor, told="all", reason="audit", actor="op")
        parts += page.parts
        if page.cursor is None:
            return parts
        cursor = page.cursor


def test_an_export_has_every_message_once_with_gaps_in_their_places(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = signed(core)
    gap = GapSeen(
        conversation_key=WANG,
        conversation_title="王先生",
        before_position=4,
        cause="no_overlap",
        from_ms=START_MS,
        to_ms=START_MS,
    )
    gone = ChatRemoved(
        conversation_key=WANG,
        conversation_title="王先生",
        what="cleared",
        last_position=6,
        from_ms=START_MS,
        to_ms=START_MS,
    )
    phone.say(*(said(f"m{n}", n) for n in range(1, 7)), gap, gone, said("other", 1, title="李女士"))
    shapes = []
    for most in (1, 2, 3, 500):
        monkeypatch.setattr("controller.chatexport._MESSAGES", most)
        parts = exported(core, Wanted())
        assert [part.chat.title for part in parts if part.begins] == ["王先生", "李女士"]
        shapes.append([_shape(item) for part in parts for item in part.items])
    assert shapes[0] == ["m1", "m2", "m3", "gap", "m4", "m5", "m6", "cleared", "other"]
    assert all(shape == shapes[0] for shape in shapes)
    assert {entry.what for entry in core.audit.entries() if entry.reason == "audit"} == {"chat.export"}


def _shape(item: Message | Gap | ChatRemoval) -> str:
    match item:
        case Message():
            return item.text
        case Gap():
            return "gap"
        case ChatRemoval():
            return item.what


def test_an_export_is_of_what_was_asked_for(core: Core) -> None:
    one, two = signed(core, 1), signed(core, 2)
    one.say(said("first", 1))
    two.say(said("second", 1))
    chats = {chat.account_id: chat.id for chat in core.archive.conversations()}

    def names(wanted: Wanted) -> list[str]:
        return [_shape(item) for part in exported(core, wanted) for item in part.items]

    assert names(Wanted(account_id=ACCOUNT)) == ["first"]
    assert names(Wanted(phone_ids=(two.phone_id,))) == ["second"]
    assert names(Wanted(conversation_id=chats[AccountId("wx002")])) == ["second"]
    assert names(Wanted(period=Period(to_ms=START_MS))) == []
    with pytest.raises(UnknownConversation):
        exported(core, Wanted(conversation_id=999))
