"""How the virtual WeChat draws messages of every kind."""

import pytest

from agent.virtual.wechat.shade import java_hash
from protos.facts import MessageKind
from tests.support.glass import Glass

ONE = '[[people]]\nnickname = "小满"\nwechat_id = "xm"\nfriend_of = ["all"]\n[[chats]]\npeer = "xm"\n'


def glass(lines: str, client: str = "") -> Glass:
    """Return a glass over the chat with one person."""
    made = Glass(f"[client]\n{client}\n{ONE}lines = [{lines}]\n")
    made.tap("小满")
    return made


def rows(made: Glass) -> list[list[tuple[str, str, str]]]:
    """Return for each row of the list (id, text, description) of the nodes that carry something."""
    page = made.page()
    (area,) = [node for node in page.nodes if node.cls.endswith("RecyclerView")]
    return [
        [(one.rid.rpartition("/")[2], one.text, one.desc) for one in page.inside(row) if one.text or one.desc]
        for row in page.children(area)
    ]


def shown(made: Glass) -> list[str]:
    """Return the texts of the last row."""
    return [text for _, text, _ in rows(made)[-1] if text]


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ('text = "好的"', ["好的"]),
        ('kind = "voice", length_s = 12', ['12"']),
        (
            'kind = "voice", length_s = 3, transcript = "明天见", is_transcribed = true',
            ['3"', "明天见"],
        ),
        ('kind = "voice", length_s = 3, transcript = "明天见"', ['3"']),
        ('kind = "image"', []),
        ('kind = "video", length_s = 75', ["1:15"]),
        ('kind = "file", text = "报价单.pdf", detail = "1.2 MB"', ["报价单.pdf", "1.2 MB"]),
        (
            'kind = "link", text = "年中大促", detail = "全场八折", source = "某商城"',
            ["年中大促", "全场八折", "某商城"],
        ),
        (
            'kind = "mini_program", text = "点餐", source = "小满的店"',
            ["小满的店", "点餐", "小程序"],
        ),
        (
            'kind = "location", text = "人民广场", detail = "黄浦区西藏中路"',
            ["人民广场", "黄浦区西藏中路"],
        ),
        ('kind = "contact_card", text = "老王"', ["老王", "个人名片"]),
        ('kind = "sticker"', []),
        ('kind = "quote", text = "可以", detail = "小满: 几点？"', ["可以", "小满: 几点？"]),
        (
            'kind = "chat_record", text = "聊天记录一", detail = "甲: 一\\n乙: 二\\n丙: 三\\n丁: 四\\n戊"',
            ["聊天记录一", "甲: 一", "乙: 二", "丙: 三", "丁: 四", "聊天记录"],
        ),
        (
            'kind = "red_packet", text = "恭喜发财", state = "opened"',
            ["恭喜发财", "已领取", "微信红包"],
        ),
        ('kind = "red_packet", text = "恭喜发财", state = "pending"', ["恭喜发财", "微信红包"]),
        (
            'kind = "transfer", amount_fen = 123405, state = "pending"',
            ["¥1234.05", "请你确认收款", "微信转账"],
        ),
        ('kind = "transfer", side = "out", state = "returned"', ["已被退还", "微信转账"]),
        ('kind = "voice_call", length_s = 32', ["通话时长 00:32"]),
        ('kind = "video_call", detail = "对方无应答"', ["对方无应答"]),
        ('kind = "other"', ["当前版本不支持展示该内容，请升级至最新版本。"]),
        ('side = "system", text = "以上是打招呼的内容"', ["以上是打招呼的内容"]),
    ],
)
def test_each_kind_shows_what_it_has(line: str, texts: list[str]) -> None:
    made = glass("{" + line + "}")
    assert shown(made) == texts


def test_every_kind_is_drawn_listed_and_told_on_both_sides() -> None:
    for kind in MessageKind:
        if kind is MessageKind.SYSTEM:
            continue
        for side in ("in", "out"):
            made = glass(f'{{kind = "{kind.value}", side = "{side}", text = "字", detail = "细"}}')
            row = rows(made)[-1]
            avatar = next(desc for rid, _, desc in row if rid == "bk1")
            assert avatar == ("小满头像" if side == "in" else "客服01头像")
            assert made.account.chats["xm"].preview()


def test_ids_are_those_of_the_client() -> None:
    lines = (
        '{kind = "image"}, '
        '{kind = "video", length_s = 5}, '
        '{kind = "file", text = "a.pdf", detail = "1 KB"}, '
        '{kind = "red_packet", text = "贺", state = "opened"}, '
        '{kind = "voice", length_s = 2, transcript = "好", is_transcribed = true}'
    )
    ids = {rid for row in rows(glass(lines)) for rid, _, _ in row}
    assert {"bkm", "boy", "bju", "bj2", "a3y", "a3m", "bkl", "brv"} <= ids


def test_a_long_text_shows_its_beginning_and_leads_to_a_page_of_its_own() -> None:
    text = "长" * 700
    made = glass(f'{{text = "{text}"}}')
    assert shown(made) == ["长" * 200 + "…", "全文"]
    made.tap("全文")
    assert made.app.activity().endswith("TextPreviewUI")
    assert [one.text for one in made.page().nodes if one.text] == [text]
    made.app.back()
    assert shown(made)[1] == "全文"
    assert shown(glass('{text = "' + "长" * 600 + '"}')) == ["长" * 600]


def test_a_long_quote_unfolds_in_its_place() -> None:
    made = glass('{kind = "quote", text = "' + "长" * 30 + '", detail = "小满: 问"}', "folds_over = 20")
    assert shown(made) == ["长" * 30 + "…", "展开", "小满: 问"]
    made.tap("展开")
    assert shown(made) == ["长" * 30, "小满: 问"]


def test_previews_use_the_words_of_the_closed_list() -> None:
    table = Glass().table.texts["preview_kinds"]
    for kind in MessageKind:
        if kind in (MessageKind.TEXT, MessageKind.QUOTE, MessageKind.SYSTEM):
            continue
        made = glass(f'{{kind = "{kind.value}", text = "字", state = "pending"}}')
        assert made.account.chats["xm"].preview().startswith(table)


@pytest.mark.parametrize(
    ("unread", "kind", "text", "ticker"),
    [
        (1, "private", "在吗", "小满: 在吗"),
        (3, "private", "[3条]小满: 在吗", "小满: 在吗"),
        (1, "group", "甲: 在吗", "甲: 在吗"),
        (1200, "group", "[999条]甲: 在吗", "甲: 在吗"),
    ],
)
def test_notifications_have_the_form_of_their_chat(unread: int, kind: str, text: str, ticker: str) -> None:
    made = Glass(ONE + 'lines = [{text = "在吗"}, {side = "out", text = "在"}]')
    chat = made.account.chats["xm"]
    chat.kind, chat.unread = kind, unread
    if kind == "group":
        chat.change(0, sender="甲")
    (entry,) = made.app.notifications()
    assert (entry.title, entry.text, entry.ticker) == ("小满", text, ticker)
    assert entry.key_id == java_hash("xm") == 3829


def test_java_hashes_are_signed() -> None:
    assert java_hash("") == 0
    assert java_hash("polygenelubricants") == -(2**31)
