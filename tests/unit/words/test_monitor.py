"""The monitor: each disguise is seen through, each trap is passed in silence; one text or many at once."""

from __future__ import annotations

from typing import Any

import pytest

from controller.words import Found, How, Monitor, Passed, Why, compiled, make
from controller.words.lexicon import LexiconWrong, read

WORDS = (
    "转账",
    "微信",
    "红包",
    "加我微信",
    "私下转账",
    "飞单",
    "第一",
    "白痴",
    "全网最低价",
    "10倍回报",
    "垃圾",
)


@pytest.fixture(scope="module")
def monitor() -> Monitor:
    """The monitor of the words above, without first letters."""
    return compiled(read(lexicon(*WORDS, "口交")))


def lexicon(*words: str, phrases: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    entries = [{"id": f"L{n}", "word": word, **fields} for n, word in enumerate(words)]
    return {"version": 1, "entries": entries, "allow": {"phrases": list(phrases)}}


def surfaces(text: str, *words: str, **fields: Any) -> list[tuple[str, str]]:
    match = make(lexicon(*(words or WORDS), **fields))
    return [(word, text[start:end]) for word, start, end in match(text)]


@pytest.mark.parametrize(
    ("how", "text", "word", "surface"),
    [
        (How.PLAIN, "今天私下转账给我", "私下转账", "私下转账"),
        (How.FOLDED, "今天私下轉帳給我".replace("帳", "賬"), "私下转账", "私下轉賬"),
        (How.NOISE, "你真是个白 痴", "白痴", "白 痴"),
        (How.NOISE, "全*网*最*低*价", "全网最低价", "全*网*最*低*价"),
        (How.NOISE, "加\u200b我\u200b微\u200b信", "加我微信", "加\u200b我\u200b微\u200b信"),
        (How.REPEAT, "你真是白白痴痴", "白痴", "白白痴痴"),
        (How.HOMOPHONE, "方便的话加我薇信", "加我微信", "加我薇信"),
        (How.HOMOPHONE, "你上次飞丹了吧", "飞单", "飞丹"),
        (How.PINYIN, "打开weixin聊", "微信", "weixin"),
        (How.MIXED, "打开 w e i x i n 聊", "微信", "w e i x i n"),
        (How.PINYIN, "私下zhuan账", "私下转账", "私下zhuan账"),
        (How.NUMERAL, "全城第①名", "第一", "第①"),
        (How.NUMERAL, "保证十倍回报", "10倍回报", "十倍回报"),
        (How.SPLIT, "请车专账", "转账", "车专账"),
        (How.EMOJI, "V❤联系", "微信", "V❤"),
        (How.EMOJI, "➕我微信", "加我微信", "➕我微信"),
        (How.MIXED, "家·我·薇·信", "加我微信", "家·我·薇·信"),
    ],
)
def test_a_word_is_found_through_its_disguise(
    monitor: Monitor, how: How, text: str, word: str, surface: str
) -> None:
    (found,) = monitor.find(text)
    assert (found.word, text[found.start : found.end], found.how) == (word, surface, how)


@pytest.mark.parametrize(
    "text",
    [
        "路口交通很堵",  # torn by 路口 and 交通
        "垃圾桶放在门口",  # a longer ordinary word
        "他在员工里很有威信",  # an ordinary word that sounds the same
        "我要转，账号发你",  # the end of a clause is no noise
        "打开hongbaoshi.dwg",  # letters inside a name
        "公司严禁私下转账",  # a rule
        "今天天气不错",
    ],
)
def test_ordinary_text_is_passed_in_silence(monitor: Monitor, text: str) -> None:
    assert monitor.find(text) == []


def test_first_letters_count_only_where_the_entry_says_so() -> None:
    assert surfaces("发个hb给我", "红包", initials=True) == [("红包", "hb")]
    assert surfaces("发个hb给我", "红包") == []
    assert surfaces("型号hb200", "红包", initials=True) == []


def test_a_latin_border_keeps_letters_and_digits_away() -> None:
    assert surfaces("加VX聊", "vx", boundary="latin") == [("vx", "VX")]
    assert surfaces("型号VX200", "vx", boundary="latin") == []


def test_an_allowed_phrase_wins_over_a_shorter_hit_in_any_writing() -> None:
    assert surfaces("红包封套还有吗", "红包", phrases=("红包封套",)) == []
    assert surfaces("紅包封套还有吗", "红包", phrases=("红包封套",)) == []
    assert surfaces("红包封套还有吗", "红包") == [("红包", "红包")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("红包封套还有吗", Why.ALLOWED),
        ("微信红包率是多少", Why.LONGER),
        ("他把面包分给小红包括我", Why.ORDINARY),
        ("公司规定严禁发红包", Why.MENTION),
        ("有事写到红包@shop.cn", None),
        ("今天发红包", None),
    ],
)
def test_a_place_that_is_no_hit_is_told_with_its_reason(text: str, why: Why | None) -> None:
    monitor = compiled(read(lexicon("红包", phrases=("红包封套",))))
    passed = monitor.passed_over(text)
    assert bool(monitor.find(text)) is (why is None)
    at = text.index("红包")
    assert passed == ([] if why is None else [Passed("L0", "红包", at, at + 2, why)])


def test_what_a_longer_hit_covers_is_told() -> None:
    monitor = compiled(read(lexicon("微信", "加我微信")))
    assert monitor.passed_over("加我微信") == [Passed("L0", "微信", 2, 4, Why.COVERED)]


def test_a_hit_whose_characters_are_repeated_is_not_told_as_covered_by_itself() -> None:
    monitor = compiled(read(lexicon("滚蛋")))
    text = "不买就滚滚滚蛋蛋蛋，别在这儿"
    assert [(hit.start, hit.end) for hit in monitor.find(text)] == [(3, 9)]
    assert monitor.passed_over(text) == []


def test_the_longest_of_overlapping_words_is_told_once() -> None:
    assert surfaces("加我微信", "微信", "加我微信") == [("加我微信", "加我微信")]
    assert surfaces("红包，红包", "红包") == [("红包", "红包"), ("红包", "红包")]


def test_patterns_stand_beside_words_and_words_inside_them_are_none() -> None:
    document = lexicon("红包", "weixin")
    document["entries"].append({"id": "P1", "word": "@PHONE", "type": "pattern"})
    document["entries"].append({"id": "P2", "word": "@EMAIL", "type": "pattern"})
    found = compiled(read(document)).find("红包找13812345678，或者weixin@shop.cn")
    assert [(hit.word, hit.how) for hit in found] == [
        ("红包", "plain"),
        ("@PHONE", "pattern"),
        ("@EMAIL", "pattern"),
    ]


def test_many_texts_at_once_are_judged_as_one_by_one(monitor: Monitor) -> None:
    texts = [
        "",
        "今天私下转账给我",
        "好的",
        "V❤联系",
        "白白痴痴",
        "\uffff",
        "\ud800坏",
        "weixin",
        "全 网 最 低 价",
        "hb",
    ]
    texts = [text for text in texts for _ in range(3)]
    one_by_one: list[tuple[int, Found]] = [
        (n, hit) for n, text in enumerate(texts) for hit in monitor.find(text)
    ]
    assert monitor.find_all(texts) == one_by_one
    assert len(one_by_one) == 3 * 5
    assert monitor.find_all([]) == []


@pytest.mark.parametrize("word", ["𠮷野家", "𠮷祥", "\ue001微店"])
def test_words_of_rare_characters_are_found_among_many_texts_too(word: str) -> None:
    rare = compiled(read(lexicon("微信", word)))
    texts = ["加微信", f"今天去{word}", "", "𠮷", f"{word}，加我微信", "好的"]
    one_by_one = [(n, hit) for n, text in enumerate(texts) for hit in rare.find(text)]
    assert rare.find_all(texts) == one_by_one
    assert [(n, hit.word) for n, hit in one_by_one] == [(0, "微信"), (1, word), (4, word), (4, "微信")]


def test_an_empty_lexicon_finds_nothing_and_a_wrong_one_is_refused() -> None:
    assert make({"entries": []})("今天私下转账给我") == []
    with pytest.raises(LexiconWrong):
        make({"entries": [{"word": " "}]})
