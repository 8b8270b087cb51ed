"""Reading the timeline: rows of a page, what a time label says, what tells posts apart, whose a popup is."""

from datetime import date

import pytest

from agent.wechat.likepopup import popup_of
from agent.wechat.screens import ScreenName
from agent.wechat.timeline import (
    DAY_H,
    Post,
    author_beside,
    begins,
    belongs,
    is_unclear,
    parse_age,
    posts_of,
    rows_of,
)
from tests.support.glass import Glass

TODAY = date(2026, 3, 1)
PEOPLE = """
[[people]]
nickname = "小满🌾"
wechat_id = "xiaoman"
friend_of = ["all"]
[[people]]
nickname = "老陈"
wechat_id = "laochen"
friend_of = ["all"]
"""
LONG = "早上六点出发，路上下了小雨，到了以后天就晴了。" * 8


def on_moments(posts: str) -> Glass:
    glass = Glass(PEOPLE + posts)
    glass.tap("发现")
    glass.tap("朋友圈")
    return glass


def written(author: str, text: str, more: str = "") -> str:
    return f'[[posts]]\nauthor = "{author}"\ntext = "{text}"\n{more}\n'


# -- ages


@pytest.mark.parametrize(
    ("label", "at_least_h", "at_most_h", "day"),
    [
        ("刚刚", 0, 1, TODAY),
        ("59分钟前", 0, 1, TODAY),
        ("5小时前", 5, 6, TODAY),
        ("昨天", 0, 48, date(2026, 2, 28)),
        ("昨天 22:38", 0, 48, date(2026, 2, 28)),
        ("2天前", 24, 72, date(2026, 2, 27)),
        ("8月3日", 209 * DAY_H, 212 * DAY_H, date(2025, 8, 3)),
        ("2月27日 10:44", 24, 4 * DAY_H, date(2026, 2, 27)),
        ("2023年8月3日", 940 * DAY_H, 943 * DAY_H, date(2023, 8, 3)),
    ],
)
def test_a_label_says_how_old_a_post_is_at_least_and_at_most(
    label: str, at_least_h: int, at_most_h: int, day: date
) -> None:
    age = parse_age(label, TODAY)
    assert age is not None
    assert (age.at_least_h, age.at_most_h, age.day) == (at_least_h, at_most_h, day)


@pytest.mark.parametrize("label", ["", "上海", "2月30日", "13月1日", "昨天晚上", "3 days ago", "12:30"])
def test_what_is_no_known_label_has_no_age(label: str) -> None:
    assert parse_age(label, TODAY) is None


def test_tomorrow_by_the_calendar_of_the_phone_is_not_last_year() -> None:
    age = parse_age("3月2日", TODAY)
    assert age is not None
    assert age.day == date(2026, 3, 2)


# -- rows


def test_rows_are_read_with_all_that_tells_them_apart() -> None:
    glass = on_moments(
        written(
            "xiaoman",
            "新店开张",
            'images = 2\nago_s = 60\nliked_by = ["老陈"]\ncomments = [["老陈", "恭喜"]]',
        )
        + written("farm_001", "自己的", "ago_s = 120")
        + written("某品牌", "广告", "ago_s = 180\nis_ad = true")
    )
    screen = glass.screen()
    assert screen.name is ScreenName.MOMENTS
    assert begins(screen)
    rows = rows_of(screen)
    assert [(row.photos, row.label, row.is_own, row.is_ad) for row in rows] == [
        (2, "1分钟前", False, False),
        (0, "2分钟前", True, False),
        (0, "3分钟前", False, True),
    ]
    assert [[node.text for node in row.texts] for row in rows] == [["新店开张"], ["自己的"], ["广告"]]
    assert not is_unclear(screen)


def test_a_post_that_reads_like_the_words_of_the_client_is_a_post() -> None:
    glass = on_moments(
        "".join(written("laochen", word, f"ago_s = {n}") for n, word in enumerate(["赞", "评论", "2小时前"]))
        + written("laochen", "广告", "ago_s = 9")
    )
    screen = glass.screen()
    assert screen.name is ScreenName.MOMENTS
    rows = rows_of(screen)
    assert [row.texts[0].text for row in rows] == ["赞", "评论", "2小时前", "广告"]
    assert [row.label for row in rows] == ["刚刚"] * 4
    assert not any(row.is_ad for row in rows)


def test_rows_cut_by_the_edges_are_not_read() -> None:
    glass = on_moments("".join(written("laochen", f"第{n}条", f"ago_s = {n}\nimages = 9") for n in range(6)))
    assert [row.texts[0].text for row in rows_of(glass.screen())] == ["第0条"]
    for _ in range(8):
        glass.app.swipe(500, 1500, 500, 1170)
        screen = glass.screen()
        for row in rows_of(screen):
            assert row.photos == 9
            assert row.box.height > 1000
        assert not is_unclear(screen)


def test_true_names_decide_whose_a_post_is() -> None:
    glass = on_moments(written("xiaoman", "新店😀"))
    rows = rows_of(glass.screen())
    true = glass.true_texts()([node for row in rows for node in (row.author, *row.texts)])
    ((_, post),) = posts_of(rows, true, TODAY)
    assert (post.author, post.text) == ("小满🌾", "新店😀")
    assert posts_of(rows, true, TODAY, author="小满🌷") == []
    assert posts_of(rows, {}, TODAY) == []


def test_folding_does_not_change_what_a_post_is_known_by() -> None:
    def key(*, unfold: bool, text: str) -> str:
        glass = on_moments(written("laochen", text))
        if unfold:
            glass.tap("全文")
        rows = rows_of(glass.screen())
        assert rows[0].is_folded is not unfold
        true = glass.true_texts()([node for row in rows for node in (row.author, *row.texts)])
        return posts_of(rows, true, TODAY)[0][1].key()

    for text in (LONG, r"\n".join("一二三四五六七八")):
        assert key(unfold=False, text=text) == key(unfold=True, text=text)


# -- keys


def a_post(**changes: object) -> Post:
    values = {"author": "老陈", "text": "早安", "photos": 1, "day": TODAY} | changes
    return Post(**values)  # type: ignore[arg-type]  # the values above have the right types


def test_each_fact_changes_the_key_and_none_can_be_read_off_it() -> None:
    others = [a_post(author="老王"), a_post(text="晚安"), a_post(photos=2), a_post(day=None)]
    keys = {one.key() for one in (a_post(), *others)}
    assert len(keys) == 5
    assert all(len(key) == 32 and set(key) <= set("0123456789abcdef") for key in keys)


def test_a_day_more_or_less_is_the_same_post_and_two_are_not() -> None:
    known = [a_post().key()]
    for days, is_known in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        assert a_post(day=_later(days)).is_among(known) is is_known


def _later(days: int) -> date:
    return date.fromordinal(TODAY.toordinal() + days)


# -- the popup


def test_the_popup_belongs_to_the_row_it_stands_beside() -> None:
    glass = on_moments(
        written("laochen", "一", "ago_s = 1")
        + written("xiaoman", "二", 'ago_s = 2\nliked_by = ["farm_001"]')
        + written("laochen", "三", "ago_s = 3")
    )
    glass.tap("评论", at=1)
    screen = glass.screen()
    assert screen.name is ScreenName.MOMENTS_POPUP
    popup, rows = popup_of(screen), rows_of(screen)
    assert popup is not None
    assert popup.is_liked
    assert popup.verdict.text == "取消"
    assert [belongs(popup, row, rows) for row in rows] == [False, True, False]
    author = author_beside(screen)
    assert author is not None
    assert author.at == rows[1].author.at
    glass.app.back()
    assert glass.screen().name is ScreenName.MOMENTS
    assert popup_of(glass.screen()) is None
    glass.tap("评论", at=0)
    found = popup_of(glass.screen())
    assert found is not None
    assert not found.is_liked


def test_comments_that_read_like_the_popup_are_not_it() -> None:
    glass = on_moments(
        written("laochen", "赞", 'comments = [["赞", "评论"]]\nliked_by = ["赞", "取消", "评论"]')
    )
    assert popup_of(glass.screen()) is None
    assert glass.screen().name is ScreenName.MOMENTS
