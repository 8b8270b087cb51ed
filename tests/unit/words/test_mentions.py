"""Mentions against meant words, on labelled sentences; the rules that tell them apart; hostile texts."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.words import mention_registers, mention_terms
from controller.words.mentions import is_mention

ROWS = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parents[2] / "data/words/mention_sentences.txt").read_text().splitlines()
    if not line.startswith("#")
]
RULES = [
    "严禁",
    "不",
    "不得",
    "不得不",
    "没",
    "别",
    "公司",
    "是违规的",
    "一律开除",
    "举报",
    "请",
    "谁",
    "因为",
    "如",
    "但",
]
PARTS = [*RULES, "，", "。", "、", "：", "我", "你", "私下转账", "的", "吗", "\n"]


def judged(marked: str) -> bool:
    start = marked.index("[")
    end = marked.index("]") - 1
    return is_mention(marked.replace("[", "").replace("]", ""), start, end)


@pytest.mark.parametrize(("sign", "marked"), ROWS, ids=range(len(ROWS)))
def test_a_labelled_sentence_is_read_as_a_person_reads_it(sign: str, marked: str) -> None:
    assert judged(marked) is (sign == "+")


@pytest.mark.parametrize(
    ("mention", "meant"),
    [
        ("严禁[私下转账]", "[私下转账]"),
        ("不能[私下转账]", "不能不[私下转账]"),
        ("不得[私下转账]", "不得不[私下转账]"),
        ("不给[回扣]", "能不能给[回扣]"),
        ("我没给[回扣]", "怎么还没给[回扣]"),
        ("别[私下转账]", "特别[私下转账]"),
        ("严禁[私下转账]、飞单", "严禁飞单。[私下转账]给我"),
        ("公司不让[私下转账]", "公司不让[私下转账]，不过你可以转我"),
        ("公司禁止[飞单]", "虽然公司禁止[飞单]，我照做"),
        ("[飞单]是违规的", "[飞单]不算违规的"),
        ("[飞单]一律开除", "[飞单]不会被开除"),
        ("不是[回扣]", "是[回扣]"),
        ("什么是[飞单]", "[飞单]好做"),
        ("嚴禁[私下轉賬]", "[私下轉賬]給我"),
        ("严禁使用[最佳]", "严禁的不说，[最佳]就是我"),
        ("警方通报，[飞单]三起", "这里是警方，您[飞单]吧"),
        ("有人冒充客服让您[私下转账]", "客服让您[私下转账]"),
        ("[飞单]，被公司开除了", "[飞单]，不会被公司开除"),
        ("[飞单]，扣两百", "[飞单]，平台扣两百"),
        ("客户要[回扣]怎么回", "我要[回扣]怎么给"),
        ("对[回扣]说不", "[回扣]不好说"),
        ("凡[泄露底价]的，应承担责任", "想要[泄露底价]的，可以找我"),
        ("处罚[飞单]", "处罚下来之前[飞单]"),
        ("警惕涨价、[飞单]", "警惕涨价，今天[最低价]"),
        ("要是客户问[回扣]怎么答", "要是审计来了，就把[回扣]记成咨询费"),
    ],
    ids=range(25),
)
def test_a_small_change_turns_a_mention_into_the_deed(mention: str, meant: str) -> None:
    assert judged(mention)
    assert not judged(meant)


def test_without_its_idioms_a_double_negation_would_pass_for_a_denial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not judged("不得不[私下转账]")
    monkeypatch.setattr(mention_terms, "IDIOM", re.compile("(?!)"))
    assert judged("不得不[私下转账]")


def test_without_the_turn_a_rule_named_to_be_broken_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    never = re.compile("(?!)")
    assert not judged("公司不让[私下转账]，不过你可以转我")
    monkeypatch.setattr(mention_terms, "UNDERMINED", never)
    monkeypatch.setattr(mention_terms, "TURNED", never)
    assert judged("公司不让[私下转账]，不过你可以转我")


def test_without_its_reasons_a_promise_of_no_penalty_would_pass_for_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not judged("[飞单]，不会被公司开除")
    monkeypatch.setattr(mention_registers, "REASON", re.compile("(?!)"))
    assert judged("[飞单]，不会被公司开除")


@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join) | st.text(max_size=50), st.data())
def test_any_span_of_any_text_is_judged_without_error(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert is_mention(text, start, end) in (True, False)


@pytest.mark.parametrize(
    "unit",
    ["不", "严禁", "没有", "的", "、", "，", "给客户", "是", "我", "请", "谁", "如", "不是我", "违", " "],
)
def test_one_judgement_of_a_hostile_text_costs_no_more_than_its_window(unit: str) -> None:
    begin = time.process_time()
    for length in (1_000, 100_000):
        text = unit * length
        is_mention(text, len(text) // 2, len(text) // 2 + 2)
    assert time.process_time() - begin < 0.05
