"""Liking the newest post of a contact, with one lasting tap; and finding out afterwards whether it was made.

A like is a toggle: a second tap takes it back. So the popup is looked at first, and nothing is tapped in it
that does not read 赞. What is said of a post outside is its digest only.

What cannot be told apart: contacts who are shown under one name, and posts of one author and day with equal
photos and equal first lines. The former are taken for one person; of the latter none is liked while both are
in sight. The name is the one this account sees: the digest of a post differs where its author has a remark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from agent.commit import Commit
from agent.errors import (
    AgentError,
    AnswerLost,
    DialogOpen,
    LeaseLost,
    NotRecognised,
    PlatformWarning,
    ScreenError,
)
from agent.model import Ended, LikeOutcome, MomentsLike, Result
from agent.phone import Phone
from agent.wechat.momentswalk import Walk, hours
from agent.wechat.pages import Node
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.settle import patiently
from agent.wechat.steps import dialog_of, leave_dialog
from agent.wechat.timeline import Post, Row, parse_age
from agent.wechat.warnings import Unknown, WarningClass, judge

# How long the popup may take to close after the tap.
ANSWER_LIMIT_S = 5.0
# A like may show late: what is absent is looked for again after this pause.
ABSENT_AGAIN_S = 4.0
# A look may come long after the tap: posts that grew too old meanwhile are looked at too.
GROWN_OLD_DAYS = 7
# A post that looks the same may stand a day off, and labels of days are off by up to one more.
SAME_SPAN_H = hours(2)
WALKS = 3


def like(phone: Phone, action: MomentsLike, commit: Commit) -> Ended:
    """Like the newest post that is wanted, unless it is liked already; `commit` makes the only lasting tap.

    Raises PlatformWarning, LoggedOut, LeaseLost of arming, ScreenError and DriverError: after arming the
    effect of the last two is to be settled with `look`.
    """
    walk = Walk(phone, action.peer_name)
    try:
        found = _wanted(walk, action)
    except DialogOpen as dialog:
        leave_dialog(phone)
        return _ended(Result.NOT_DONE, dialog.outcome or LikeOutcome.UNEXPECTED_DIALOG, _coded(dialog))
    if isinstance(found, Ended):
        return found
    phone.clear_toast()
    commit.arm(found.key())
    with _settling(phone, lambda: _seen_twice(walk, action, found)):
        return _tap(walk, action, found, commit)


def look(phone: Phone, action: MomentsLike, armed_key: str = "") -> Ended:
    """Settle an armed like by looking only; NOT_SENT if two looks show that the post armed is not liked.

    `armed_key` is the digest recorded at arming; a post that is not found proves nothing. Without it, as in
    files of earlier builds, one liked post that is the newest wanted was it, and nothing proves NOT_SENT.
    Raises PlatformWarning, LoggedOut and DriverError; ScreenError if no look came through.
    """
    with _settling(phone, lambda: _look_twice(phone, action, armed_key)):
        return _look_twice(phone, action, armed_key)


@contextmanager
def _settling(phone: Phone, seen: Callable[[], Ended]) -> Iterator[None]:
    """Look what came of an armed like before an unknown dialog or page stops the account."""
    try:
        yield
    except PlatformWarning as warning:
        if warning.warning in set(Unknown) and warning.settled is None:
            leave_dialog(phone)
            # The warning counts more than what keeps us from looking; without a look nothing is proved.
            with suppress(AgentError):
                warning.settled = seen()
        raise


# -- up to the tap


def _wanted(walk: Walk, action: MomentsLike) -> Post | Ended:
    """Return the post to like with its popup open, or how the task ends without a tap."""
    for left in reversed(range(WALKS)):
        try:
            return _first_wanted(walk, action)
        except DialogOpen:
            raise
        except NotRecognised:
            # Rows move when somebody posts: the way begins anew.
            if not left:
                raise
    raise AssertionError


def _first_wanted(walk: Walk, action: MomentsLike) -> Post | Ended:
    screen: Screen | None = walk.begin()
    while screen is not None:
        for row, post in walk.read(screen):
            if _is_young(walk, row, action.max_age_days) and _is_new(row, post, action):
                _, popup = walk.open_popup(post)
                if not popup.is_liked:
                    return post
                walk.close_popup()
                return _ended(Result.NOT_DONE, LikeOutcome.ALREADY_LIKED, "取消", post)
        screen = walk.onward(screen, hours(action.max_age_days))
    return _ended(Result.NOT_DONE, LikeOutcome.NO_POST, "" if walk.is_whole else "some posts were not read")


def _is_young(walk: Walk, row: Row, days: int) -> bool:
    """Tell whether a post is young enough for sure: a label that may mean an older one is not."""
    age = parse_age(row.label, walk.today)
    return age is not None and age.at_most_h <= hours(days)


def _is_new(row: Row, post: Post, action: MomentsLike) -> bool:
    return not row.is_ad and not row.is_own and not post.is_among(action.known_posts)


def _tap(walk: Walk, action: MomentsLike, post: Post, commit: Commit) -> Ended:
    """Make the tap and return what came of it."""

    def word(screen: Screen) -> Node:
        popup = walk.popup(screen, post)
        if popup is None or popup.is_liked:
            raise NotRecognised("the popup of the post is not open any more, or the post is liked already")
        return popup.verdict

    try:
        # A lost answer is no reason to stop: which post it was is known only here.
        with suppress(AnswerLost):
            commit.tap(ScreenName.MOMENTS_POPUP, word, what="liking")
        return _read_outcome(walk, action, post)
    except (ScreenError, LeaseLost):
        return _seen_twice(walk, action, post)


# -- after the tap


def _read_outcome(walk: Walk, action: MomentsLike, post: Post) -> Ended:
    """Return what the screen says of the tap just made: a dialog, a toast, or the popup opened again."""
    phone = walk.phone
    screen = phone.expect(
        ScreenName.MOMENTS, ScreenName.DIALOG, what="the answer to the like", within_s=ANSWER_LIMIT_S
    )
    if screen.name is ScreenName.DIALOG:
        dialog = dialog_of(screen)
        leave_dialog(phone)
        if dialog.kind == WarningClass.MOMENTS_BLOCKED:
            return _ended(Result.NOT_DONE, LikeOutcome.BLOCKED_BY_PEER, _coded(dialog), post)
        return _seen_twice(walk, action, post)
    refused = _refused(phone, post)
    try:
        seen = _seen_twice(walk, action, post)
    except ScreenError:
        refused = refused or _refused(phone, post)
        if refused is None:
            raise
        return refused
    refused = refused or _refused(phone, post)
    if refused is not None and seen.result is Result.DONE:
        # The popup may show a like for a moment that is refused: only one that stays was made.
        phone.rest(ABSENT_AGAIN_S)
        seen = _seen(walk, action, post)
    return seen if refused is None or seen.result is Result.DONE else refused


def _refused(phone: Phone, post: Post) -> Ended | None:
    """Return the end that a toast tells of likes; one about anything else is no answer."""
    rule = judge(phone.toast(), surface="toast")
    outcome = rule.answers.get("moments_like") if rule else None
    if rule is None or outcome is None:
        return None
    return _ended(Result.NOT_DONE, LikeOutcome(outcome), f"toast: {rule.warning}", post)


def _seen_twice(walk: Walk, action: MomentsLike, post: Post) -> Ended:
    ended = _seen(walk, action, post)
    if ended.outcome == LikeOutcome.NOT_SENT:
        walk.phone.rest(ABSENT_AGAIN_S)
        ended = _seen(walk, action, post)
    return ended


def _seen(walk: Walk, action: MomentsLike, post: Post) -> Ended:
    """Return what the popup of the post that was armed says; ScreenError if it could not be looked at."""
    try:
        limit_h = hours(action.max_age_days + GROWN_OLD_DAYS)
        is_liked = patiently(walk.phone, lambda: walk.verdict(post, limit_h))
    except DialogOpen as dialog:
        return _ended(Result.UNKNOWN, LikeOutcome.UNEXPECTED_DIALOG, _coded(dialog), post)
    if is_liked is None:
        return _ended(Result.UNKNOWN, LikeOutcome.ANSWER_LOST, "the post is not found any more", post)
    if is_liked:
        return _ended(Result.DONE, LikeOutcome.LIKED, "取消", post)
    return _ended(Result.NOT_DONE, LikeOutcome.NOT_SENT, "赞", post)


# -- looking after a crash


def _look_twice(phone: Phone, action: MomentsLike, armed_key: str) -> Ended:
    ended = _look(phone, action, armed_key)
    if ended.outcome == LikeOutcome.NOT_SENT:
        phone.rest(ABSENT_AGAIN_S)
        ended = _look(phone, action, armed_key)
    return ended


def _look(phone: Phone, action: MomentsLike, armed_key: str) -> Ended:
    def once() -> Ended:
        walk = Walk(phone, action.peer_name)
        return _armed(walk, action, armed_key) if armed_key else _guessed(walk, action)

    try:
        return patiently(phone, once)
    except DialogOpen as dialog:
        return _ended(Result.UNKNOWN, LikeOutcome.UNEXPECTED_DIALOG, _coded(dialog))


def _armed(walk: Walk, action: MomentsLike, armed_key: str) -> Ended:
    """Settle by the post that was armed; several of one look on neighbouring days must all say the same."""

    def is_armed(row: Row, post: Post) -> bool:
        return not row.is_ad and not row.is_own and post.is_among((armed_key,))

    found = _survey(walk, hours(action.max_age_days + GROWN_OLD_DAYS), is_armed, span_h=SAME_SPAN_H)
    if found and all(found.values()):
        return _ended(Result.DONE, LikeOutcome.LIKED, "取消", next(iter(found)))
    if found and walk.is_whole and not any(found.values()):
        return _ended(Result.NOT_DONE, LikeOutcome.NOT_SENT, "赞", next(iter(found)))
    evidence = "some posts that look like it are liked" if found else "the post is not found any more"
    return _ended(Result.UNKNOWN, LikeOutcome.ANSWER_LOST, evidence)


def _guessed(walk: Walk, action: MomentsLike) -> Ended:
    """Settle without knowing the post: it was the newest one wanted, and newer ones may have come."""
    limit_h = hours(action.max_age_days)

    def may_be_armed(row: Row, post: Post) -> bool:
        return _is_young(walk, row, action.max_age_days) and _is_new(row, post, action)

    found = _survey(walk, limit_h, may_be_armed, span_h=limit_h)
    liked = [post for post, is_liked in found.items() if is_liked]
    if walk.is_whole and liked and liked == list(found)[:1]:
        return _ended(Result.DONE, LikeOutcome.LIKED, "取消", liked[0])
    return _ended(Result.UNKNOWN, LikeOutcome.ANSWER_LOST, f"{len(liked)} of {len(found)} posts are liked")


def _survey(
    walk: Walk, limit_h: int, is_wanted: Callable[[Row, Post], bool], *, span_h: int
) -> dict[Post, bool]:
    """Return of each wanted post, newest first, whether it is liked; `span_h` is looked on after a find."""
    found: dict[Post, bool] = {}
    screen: Screen | None = walk.begin()
    tries = WALKS
    while screen is not None:
        fresh = [one for one in walk.read(screen) if one[1] not in found and is_wanted(*one)]
        if not fresh:
            screen = walk.onward(screen, limit_h)
            continue
        row, post = fresh[0]
        try:
            _, popup = walk.open_popup(post)
            found[post] = popup.is_liked
            age = parse_age(row.label, walk.today)
            limit_h = min(limit_h, age.at_most_h + span_h) if age else limit_h
            screen = walk.close_popup() or walk.begin()
        except DialogOpen:
            raise
        except NotRecognised:
            tries -= 1
            if not tries:
                raise
            screen = walk.begin()
    return found


# -- how a task ends


def _coded(dialog: DialogOpen) -> str:
    """Return what a dialog was, without its words: they may name a person."""
    return f"dialog: {dialog.kind or 'unknown words'}"


def _ended(result: Result, outcome: str, evidence: str, post: Post | None = None) -> Ended:
    return Ended(result=result, outcome=outcome, evidence=evidence, object_key=post.key() if post else "")
