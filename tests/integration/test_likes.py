"""Likes on virtual phones behind real adb; the world counts which likes were made and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.boottime import boot_id, boot_ms
from agent.driver import Driver
from agent.errands import Errands
from agent.errors import LeaseLost, PlatformWarning, ScreenError
from agent.evidence import Evidence
from agent.grip import Grip
from agent.intents import Intents
from agent.model import Ended, LeasedTask, LikeOutcome, MomentsLike, Result, Settings
from agent.outbox import Outbox
from agent.phone import Phone
from agent.virtual.farm import VirtualPhone
from agent.virtual.scenario import parse_scenario
from agent.virtual.talk import Post
from agent.wechat import flows, moments, momentswalk
from agent.wechat.likepopup import Popup, popup_of
from agent.wechat.momentswalk import Walk
from agent.wechat.screens import Screen, ScreenName
from protos import wire
from protos.facts import TaskEnded
from tests.support.adb import AdbServer
from tests.support.commits import Arm, Crash, Taps, commit_of
from tests.support.handset import Handsets, handsets

PEOPLE = """
[[people]]
nickname = "小满🌾"
wechat_id = "xiaoman"
friend_of = ["all"]
[[people]]
nickname = "老陈"
wechat_id = "laochen"
friend_of = ["all"]
[[people]]
nickname = "小满🌷"
wechat_id = "other"
friend_of = ["all"]
"""
WANTED = MomentsLike(peer_name="小满🌾", max_age_days=3)
LIKED = (Result.DONE, LikeOutcome.LIKED)
NOT_SENT = (Result.NOT_DONE, LikeOutcome.NOT_SENT)
ALREADY = (Result.NOT_DONE, LikeOutcome.ALREADY_LIKED)
NO_POST = (Result.NOT_DONE, LikeOutcome.NO_POST)
UNCLEAR = (Result.UNKNOWN, LikeOutcome.ANSWER_LOST)
LONG = "早上六点出发，路上下了小雨，到了以后天就晴了。" * 8


def written(author: str, text: str, hours: float, more: str = "") -> str:
    """Return a post for a scenario."""
    return f'[[posts]]\nauthor = "{author}"\ntext = "{text}"\nago_hours = {hours}\n{more}\n'


def end(ended: Ended) -> tuple[Result, str]:
    return ended.result, ended.outcome


@dataclass
class Rig:
    """One virtual phone, the agent's hand on it, and the world's truth about its likes."""

    hands: Handsets
    virtual: VirtualPhone
    phone: Phone
    arm: Arm = field(default_factory=Arm)
    keys: list[str] = field(default_factory=list)  # what was armed

    @property
    def world(self) -> Any:
        return self.hands.farm.world

    @property
    def account(self) -> Any:
        return self.world.accounts[self.virtual.account_id]

    def like(self, action: MomentsLike = WANTED, check: Callable[[], None] = lambda: None) -> Ended:
        return moments.like(self.phone, action, commit_of(self.phone, self.arm, check, self.keys))

    def look(self) -> Ended:
        return moments.look(self.phone, WANTED, self.keys[-1])

    def look_without_key(self) -> Ended:
        return moments.look(self.phone, WANTED)

    def truth(self) -> dict[str, tuple[int, int]]:
        """Return made and taken back likes by post."""
        rows = self.hands.truth(self.virtual)["likes"]
        return {row["post"]: (row["made"], row["taken_back"]) for row in rows}

    def post(self, author: str, text: str, **more: Any) -> Post:
        return self.hands.farm.do(lambda: self.world.post(author, text, **more))  # type: ignore[no-any-return]  # what `do` returns is not typed

    def like_by_hand(self, post_id: str) -> None:
        def tap() -> None:
            self.world.posts[int(post_id.removeprefix("post"))].likes[self.account.account_id] = "by hand"

        self.hands.farm.do(tap)


@pytest.fixture(autouse=True)
def quick_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked for in vain is waited for on a real network; nothing here takes that long."""
    monkeypatch.setattr(momentswalk, "MORE_LIMIT_S", 1.0)
    monkeypatch.setattr(moments, "ABSENT_AGAIN_S", 0.1)


@pytest.fixture
def rig(one_adb: AdbServer) -> Iterator[Callable[..., Rig]]:
    with ExitStack() as stack:

        def made(posts: str, *, people: str = PEOPLE, client: str = "") -> Rig:
            text = f"[client]\n{client}\n[phones_like]\ncount = 1\n{people}{posts}"
            hands = stack.enter_context(handsets(parse_scenario(text), one_adb))
            virtual = hands.farm.phones[0]
            return Rig(hands, virtual, hands.open(virtual))

        yield made


Rigs = Callable[..., Rig]


def void(_: object) -> None:
    """Make a statement of an expression."""


# -- one like a task


def test_the_newest_post_is_liked_once_and_found_liked_afterwards(rig: Rigs) -> None:
    one = rig(written("other", "你好", 1) + written("xiaoman", "新店", 2) + written("xiaoman", "旧事", 9))
    ended = one.like()
    assert end(ended) == LIKED
    assert one.truth() == {"post1": (1, 0)}
    again = one.like()
    assert end(again) == ALREADY
    assert again.object_key == ended.object_key != ""
    seen = one.look()
    assert (end(seen), seen.object_key) == (LIKED, ended.object_key)
    assert one.truth() == {"post1": (1, 0)}
    assert (one.arm.calls, one.keys) == (1, [ended.object_key])


def test_of_two_posts_the_one_not_known_is_liked(rig: Rigs) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("xiaoman", "旧事", 9))
    first = one.like()
    rest = MomentsLike(peer_name=WANTED.peer_name, max_age_days=3, known_posts=(first.object_key,))
    second = one.like(rest)
    assert end(second) == LIKED
    assert second.object_key != first.object_key
    both = MomentsLike(
        peer_name=WANTED.peer_name, max_age_days=3, known_posts=(first.object_key, second.object_key)
    )
    assert end(one.like(both)) == NO_POST
    assert one.truth() == {"post0": (1, 0), "post1": (1, 0)}


def test_what_is_liked_already_is_not_tapped(rig: Rigs) -> None:
    one = rig(written("xiaoman", "新店", 2, 'liked_by = ["farm_001", "laochen"]'))
    assert end(one.like()) == ALREADY
    assert one.arm.calls == 0
    assert one.truth() == {}


def test_an_older_client_without_known_ids_of_texts_is_read_by_its_structure(rig: Rigs) -> None:
    one = rig(
        written("other", "你好", 1) + written("xiaoman", LONG, 2, "images = 3"),
        client='version_name = "8.0.6"\nversion_code = 1900',
    )
    assert end(one.like()) == LIKED
    assert end(one.like()) == ALREADY
    assert one.truth() == {"post1": (1, 0)}


def test_somebody_of_our_name_among_the_likes_is_not_us(rig: Rigs) -> None:
    one = rig(written("xiaoman", "新店", 2, 'liked_by = ["客服01"]'))
    assert end(one.like()) == LIKED
    assert one.truth() == {"post0": (1, 0)}


def test_both_roads_are_open_to_the_agent(rig: Rigs) -> None:
    one = rig(written("xiaoman", "新店", 2))
    assert end(flows.act(one.phone, WANTED, commit_of(one.phone))) == LIKED
    assert end(flows.look(one.phone, WANTED)) == LIKED


def test_without_looking_first_a_like_would_be_taken_back(rig: Rigs, monkeypatch: pytest.MonkeyPatch) -> None:
    one = rig(written("xiaoman", "新店", 2, 'liked_by = ["farm_001"]'))

    def blind(screen: Screen) -> Popup | None:
        popup = popup_of(screen)
        return popup and replace(popup, is_liked=False)

    monkeypatch.setattr(momentswalk, "popup_of", blind)
    one.like()
    assert one.truth() == {"post0": (0, 1)}


# -- which post


def test_advertisements_own_posts_and_closed_moments_are_no_posts(rig: Rigs) -> None:
    closed = '[[people]]\nnickname = "关闭"\nwechat_id = "closed"\nfriend_of = ["all"]\nmoments = "closed"\n'
    one = rig(
        written("小满🌾", "大促", 1, "is_ad = true")
        + written("farm_001", "自己的", 1)
        + written("closed", "看不见", 1),
        people=PEOPLE + closed,
    )
    for name in (WANTED.peer_name, "客服01", "关闭"):
        assert end(one.like(MomentsLike(peer_name=name, max_age_days=3))) == NO_POST
    assert one.truth() == {}


@pytest.mark.parametrize(("days", "outcome"), [(2, LIKED), (3, NO_POST), (40, NO_POST)])
def test_a_post_that_may_be_too_old_is_left_alone(rig: Rigs, days: int, outcome: object) -> None:
    one = rig(written("xiaoman", "新店", days * 24))
    assert end(one.like()) == outcome
    assert one.truth() == ({"post0": (1, 0)} if outcome == LIKED else {})


def test_a_long_text_has_one_key_folded_and_unfolded(rig: Rigs) -> None:
    one = rig(written("xiaoman", LONG, 2, "images = 9"))
    folded = one.like()
    assert end(folded) == LIKED
    app: Any = one.virtual.handset.app
    one.hands.farm.do(lambda: app.stage.page.do_fold("post0"))
    screen = one.phone.expect(
        ScreenName.MOMENTS, what="the whole text", test=lambda seen: LONG in seen.words()
    )
    walk = Walk(one.phone, WANTED.peer_name)
    assert walk.read(screen) == []  # its foot is out of sight
    later = walk.onward(screen, 72)
    assert later is not None
    assert [post.key() for _, post in walk.read(later)] == [folded.object_key]


def test_a_post_far_down_is_found_after_more_posts_were_loaded(rig: Rigs) -> None:
    others = "".join(
        written("laochen", f"第{n}天", n, f"images = {n % 10}\nliked_by = ['other']") for n in range(1, 24)
    )
    one = rig(others + written("xiaoman", "新店", 40))
    assert end(one.like()) == LIKED
    assert one.truth() == {"post23": (1, 0)}


def test_the_remark_is_the_name_that_counts(rig: Rigs) -> None:
    person = '[[people]]\nnickname = "原名"\nwechat_id = "one"\nfriend_of = ["all"]\nremark = "备注😀"\n'
    one = rig(written("one", "新店", 1), people=person)
    assert end(one.like(MomentsLike(peer_name="原名", max_age_days=3))) == NO_POST
    assert end(one.like(MomentsLike(peer_name="备注😀", max_age_days=3))) == LIKED


# -- rows that move under the finger


def post_at_click(monkeypatch: pytest.MonkeyPatch, one: Rig, when: Sequence[bool]) -> None:
    """Let somebody post right before the touches, counted from now on, that meet the timeline."""
    real, turns = Driver.call, iter(when)

    def call(driver: Driver, method: str, *args: Any, **kwargs: Any) -> Any:
        front = one.hands.farm.do(one.virtual.handset.front.activity)
        if method == "click" and front.endswith("SnsTimelineUI") and next(turns, False):
            one.post("other", "刚刚的事")
        return real(driver, method, *args, **kwargs)

    monkeypatch.setattr(Driver, "call", call)


def test_a_new_post_before_the_popup_opens_leads_to_no_wrong_like(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("laochen", "旧事", 9))
    # The new row is as high as the others: the finger meets the button of another post.
    post_at_click(monkeypatch, one, [True, True])
    assert end(one.like()) == LIKED
    assert one.truth() == {"post0": (1, 0)}


def test_without_the_proof_of_the_popup_the_wrong_post_would_be_liked(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("laochen", "旧事", 9))
    post_at_click(monkeypatch, one, [True])
    monkeypatch.setattr(Walk, "popup", lambda _walk, screen, _post: popup_of(screen))
    one.like()
    assert list(one.truth().values()) == [(1, 0)]
    assert "post0" not in one.truth()


def test_a_popup_that_moved_with_its_row_is_found_anew(rig: Rigs) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("laochen", "旧事", 9, 'liked_by = ["farm_001"]'))
    commit = commit_of(one.phone, lambda: void(one.post("other", "刚刚的事")))
    assert end(moments.like(one.phone, WANTED, commit)) == LIKED
    assert one.truth() == {"post0": (1, 0)}


def test_a_new_post_right_before_the_like_leads_to_no_wrong_like_and_no_unlike(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("laochen", "旧事", 9, 'liked_by = ["farm_001"]'))
    commit = one.phone.fence.tap

    def moved(*args: Any, **kwargs: Any) -> None:
        one.post("other", "刚刚的事")
        commit(*args, **kwargs)

    monkeypatch.setattr(one.phone.fence, "tap", moved)
    assert end(one.like()) == NOT_SENT
    assert one.truth() == {}
    monkeypatch.undo()
    assert end(one.look()) == NOT_SENT
    assert end(one.like()) == LIKED
    assert one.truth() == {"post0": (1, 0)}


def test_a_like_by_hand_before_the_last_look_is_not_taken_back(rig: Rigs) -> None:
    one = rig(written("xiaoman", "新店", 2))

    def by_hand() -> None:
        one.like_by_hand("post0")

    ended = moments.like(one.phone, WANTED, commit_of(one.phone, by_hand))
    assert end(ended) == LIKED  # armed by us, liked by somebody here: it stands, and nothing was tapped
    assert one.truth() == {}


# -- crashes and lost answers


@pytest.mark.parametrize(("how", "outcome"), [("lost", LIKED), ("never", NOT_SENT)])
def test_a_lost_answer_is_settled_by_looking_and_never_by_a_second_tap(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch, how: str, outcome: object
) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("xiaoman", "旧事", 9, 'liked_by = ["farm_001"]'))
    taps = Taps(monkeypatch, one.phone, broken=1, how=how)
    assert end(one.like()) == outcome
    assert taps.count == 1
    assert one.truth() == ({"post0": (1, 0)} if outcome == LIKED else {})


@pytest.mark.parametrize(("how", "outcome"), [("after", LIKED), ("before", NOT_SENT)])
def test_a_crash_around_the_tap_is_settled_by_looking(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch, how: str, outcome: object
) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("xiaoman", "旧事", 9))
    taps = Taps(monkeypatch, one.phone, broken=1, how=how)
    with pytest.raises(Crash):
        one.like()
    # Somebody of that name posts once more before the phone is looked at.
    one.post("xiaoman", "更新的事")
    assert end(one.look()) == outcome
    assert taps.count == 1
    assert one.truth() == ({"post0": (1, 0)} if outcome == LIKED else {})


def test_several_liked_posts_prove_nothing(rig: Rigs, monkeypatch: pytest.MonkeyPatch) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("xiaoman", "旧事", 9, 'liked_by = ["farm_001"]'))
    Taps(monkeypatch, one.phone, broken=1, how="after")
    with pytest.raises(Crash):
        one.like()
    assert end(one.look_without_key()) == UNCLEAR
    assert end(one.look()) == LIKED


def test_another_post_liked_by_hand_is_not_taken_for_the_armed_one(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("xiaoman", "旧事", 9))
    Taps(monkeypatch, one.phone, broken=1, how="before")
    with pytest.raises(Crash):
        one.like()
    one.like_by_hand("post1")
    assert end(one.look_without_key()) == UNCLEAR
    assert end(one.look()) == NOT_SENT


def test_a_crashed_task_is_settled_by_the_post_in_its_own_record(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("xiaoman", "旧事", 9))
    with closing(Outbox.open(tmp_path / "a.db")) as outbox:
        outbox.account_id = one.account.account_id
        outbox.enter_epoch(1, farm_id="farm", farm_epoch=1)
        intents = Intents(outbox)
        task = LeasedTask(
            task_id="t1",
            job_id="j",
            attempt=1,
            permit_id="p",
            phone_epoch=1,
            until_boot_ms=boot_ms() + 120_000,
            boot_id=boot_id(),
            action=WANTED,
        )
        intents.receive(task)
        errands = Errands(
            Grip(lambda: one.phone, lambda _: True),
            outbox,
            intents,
            Evidence(tmp_path),
            may_go_on=lambda _: True,
            pause=lambda _: True,
            host="h",
        )
        Taps(monkeypatch, one.phone, broken=1, how="before")
        with pytest.raises(Crash):
            errands.do(task, Settings(unattended=True))
        one.like_by_hand("post1")
        errands.settle(task)
        ended = wire.unseal(outbox.batch(1)[-1]).fact
    assert isinstance(ended, TaskEnded)
    assert (ended.result, ended.outcome) == NOT_SENT


def test_an_armed_post_that_was_deleted_is_not_proved_unliked_by_another(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("xiaoman", "旧事", 9))
    Taps(monkeypatch, one.phone, broken=1, how="after")
    with pytest.raises(Crash):
        one.like()
    one.hands.farm.do(lambda: one.world.posts.pop(0))
    assert end(one.look_without_key()) == UNCLEAR
    assert end(one.look()) == UNCLEAR


def test_a_post_that_looks_the_same_on_the_day_before_must_say_the_same(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(written("xiaoman", "早安", 1) + written("xiaoman", "早安", 25))
    Taps(monkeypatch, one.phone, broken=1, how="after")
    with pytest.raises(Crash):
        one.like()
    assert end(one.look()) == UNCLEAR
    one.like_by_hand("post1")
    assert end(one.look()) == LIKED


def test_a_post_that_is_gone_or_grew_too_old_proves_nothing(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(written("xiaoman", "新店", 2) + written("xiaoman", "旧事", 100))
    Taps(monkeypatch, one.phone, broken=1, how="after")
    with pytest.raises(Crash):
        one.like()

    def grow_old() -> None:
        one.world.posts[0].at_ms -= 4 * 86_400_000

    one.hands.farm.do(grow_old)
    assert end(one.look()) == UNCLEAR
    one.hands.farm.do(one.world.posts.clear)
    assert end(one.look()) == UNCLEAR


def test_no_right_to_act_means_no_tap(rig: Rigs) -> None:
    one = rig(written("xiaoman", "新店", 2))
    one.arm.error = LeaseLost()
    with pytest.raises(LeaseLost):
        one.like()
    one.arm.error = None

    def no() -> None:
        raise LeaseLost

    assert end(one.like(check=no)) == NOT_SENT
    assert one.truth() == {}


# -- what the platform says


def test_a_peer_that_blocks_is_told_by_the_toast(rig: Rigs) -> None:
    people = PEOPLE.replace('wechat_id = "xiaoman"\n', 'wechat_id = "xiaoman"\nmoments = "blocked"\n')
    one = rig(written("xiaoman", "新店", 2), people=people)
    assert end(one.like()) == (Result.NOT_DONE, LikeOutcome.BLOCKED_BY_PEER)
    assert one.truth() == {}


def test_a_toast_about_something_else_does_not_undo_a_like_that_is_seen(
    rig: Rigs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(written("xiaoman", "新店", 2))
    real = one.phone.commit

    def answered(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        one.hands.farm.warn(one.virtual.account_id, "NOT_FOUND", "toast")

    monkeypatch.setattr(one.phone, "commit", answered)
    assert end(one.like()) == LIKED
    assert one.truth() == {"post0": (1, 0)}


@pytest.mark.parametrize(
    ("client", "warning"),
    [('like_warning = "REALNAME"', "REALNAME"), ("like_limit = 0", "TOO_FREQUENT")],
)
def test_a_warning_in_place_of_the_like_stops_the_account(rig: Rigs, client: str, warning: str) -> None:
    one = rig(written("xiaoman", "新店", 2), client=client)
    with pytest.raises(PlatformWarning) as warned:
        one.like()
    assert warned.value.warning == warning
    assert one.truth() == {}
    taps = one.hands.farm.do(lambda: one.virtual.handset.touchscreen.counters["tap"])
    with pytest.raises(PlatformWarning):
        one.like()
    assert one.hands.farm.do(lambda: one.virtual.handset.touchscreen.counters["tap"]) == taps


def test_a_warning_after_the_like_stops_the_account(rig: Rigs) -> None:
    one = rig(
        written("xiaoman", "新店", 2),
        client='warnings = [{ warning = "TOO_FREQUENT", after_likes = 1 }]',
    )
    with pytest.raises(PlatformWarning):
        one.like()
    assert one.truth() == {"post0": (1, 0)}


# -- any timeline


AUTHORS = ("xiaoman", "laochen", "other", "farm_001", "小满🌾")
POSTS = st.lists(
    st.tuples(
        st.sampled_from(AUTHORS),
        st.sampled_from(["早安", "赞", "评论", "取消", "2小时前", "", LONG]),
        st.integers(0, 120),  # hours
        st.integers(0, 9),  # photos
        st.booleans(),  # liked by this account
    ),
    max_size=8,
)


def test_on_any_timeline_only_posts_of_the_contact_are_liked_and_none_is_unliked(rig: Rigs) -> None:
    one = rig("")
    outcomes: dict[str, int] = {}

    @settings(
        max_examples=10,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(posts=POSTS, when=st.lists(st.booleans(), max_size=4))
    def any_timeline(posts: list[tuple[str, str, int, int, bool]], when: list[bool]) -> None:
        def fill() -> None:
            one.world.posts.clear()
            one.world.truth.of(one.account.account_id).likes.clear()
            for author, text, hours, photos, is_liked in posts:
                person = one.world.find(author)
                made = Post(
                    post_id=f"post{len(one.world.posts)}",
                    author=person.key if person else author,
                    author_name=person.nickname if person else author,
                    text=text,
                    at_ms=one.world.clock() - hours * 3_600_000,
                    images=photos,
                    is_ad=author == "小满🌾",
                )
                if is_liked:
                    made.likes[one.account.account_id] = one.account.nickname
                one.world.posts.append(made)

        one.hands.farm.do(fill)
        before = {n for n, (author, *_, is_liked) in enumerate(posts) if is_liked}
        with pytest.MonkeyPatch.context() as clicks:
            post_at_click(clicks, one, when)
            try:
                outcome = str(one.like().outcome)
            except ScreenError as error:
                outcome = type(error).__name__
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        truth = one.truth()
        for name, (made, taken_back) in truth.items():
            number = int(name.removeprefix("post"))
            assert (made, taken_back) == (1, 0)
            assert posts[number][0] == "xiaoman"
            assert number not in before
            assert posts[number][2] <= 72
        assert len(truth) == (outcome == LikeOutcome.LIKED)

    any_timeline()
    assert outcomes.get(LikeOutcome.LIKED, 0) >= 2, outcomes
