"""Pieces of one chat are joined by sequence: repeats stay repeats, what cannot be told is said to be so."""

import random

import hypothesis
import hypothesis.strategies as st
import pytest

from agent.capture.align import Fit, borders, fits, joints, key_of, occurrences
from agent.capture.pages import Item
from agent.capture.visits import TAIL_LENGTH, Visit, judge
from agent.model import Bubble

SMALL = st.lists(st.sampled_from("ab"), max_size=9)


def bubble(text, side="in", kind="text"):
    return Bubble(side=side, kind=kind, text=text, time_label="")


def bubbles(words):
    return [bubble(word) for word in words.split()]


def keys(words):
    return [key_of(one) for one in bubbles(words)]


@hypothesis.given(SMALL, SMALL)
def test_borders_are_all_overlaps_longest_first(older, newer):
    wanted = [n for n in range(min(len(older), len(newer)), 0, -1) if older[-n:] == newer[:n]]
    assert borders(older, newer) == wanted


@hypothesis.given(SMALL, SMALL)
def test_occurrences_are_all_places(part, whole):
    wanted = [n for n in range(len(whole) - len(part) + 1) if whole[n : n + len(part)] == part]
    assert occurrences(part, whole) == (wanted if part else [])


@hypothesis.given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30), st.integers(0, 30), st.integers(1, 30)
)
def test_the_true_fit_is_among_the_fits(chat, new, seen):
    chat_keys = [bubble(one) for one in chat]
    new = min(new, len(chat) - 1)
    seen = min(max(seen, new + 1), len(chat))
    tail = chat_keys[: len(chat) - new][-TAIL_LENGTH:]
    read = chat_keys[len(chat) - seen :]
    assert Fit(new, min(seen - new, len(tail))) in fits(tail, read)


def test_two_equal_messages_are_two_messages():
    verdict = judge(
        bubbles("a b c d 好的"), bubbles("a b c d 好的 好的 好的"), is_at_top=False, is_last=False, unread=0
    )
    assert verdict is not None
    assert (verdict.new, verdict.ambiguous, verdict.cause) == (2, False, "")


def test_side_and_kind_belong_to_a_message():
    assert key_of(bubble("好的")) != key_of(bubble("好的", side="out"))
    assert key_of(bubble("[图片]")) != key_of(bubble("[图片]", kind="other"))


def test_a_burst_that_fills_the_page_asks_for_an_older_page():
    burst = bubbles("好的 " * 7)
    tail = [*bubbles("x y z"), *burst[:5]]
    assert judge(tail, burst, is_at_top=False, is_last=False, unread=0) is None
    verdict = judge(tail, [*bubbles("z"), *burst], is_at_top=False, is_last=False, unread=0)
    assert verdict is not None
    assert (verdict.new, verdict.ambiguous) == (2, False)


def test_what_cannot_be_told_is_kept_and_marked():
    burst = bubbles("好的 " * 7)
    tail = [*bubbles("x"), *burst[:5]]
    verdict = judge(tail, burst, is_at_top=False, is_last=True, unread=0)
    assert verdict is not None
    assert verdict.ambiguous
    assert verdict.new >= 2  # never fewer than there are


def test_the_unread_count_decides_between_fits_but_the_doubt_stays():
    burst = bubbles("好的 " * 7)
    verdict = judge([*bubbles("x"), *burst[:5]], burst, is_at_top=False, is_last=True, unread=3)
    assert verdict is not None
    assert (verdict.new, verdict.ambiguous) == (3, True)


def test_top_of_a_short_chat_counts_what_is_archived():
    verdict = judge(bubbles("好的"), bubbles("好的 好的"), is_at_top=True, is_last=False, unread=0)
    assert verdict is not None
    assert (verdict.new, verdict.ambiguous) == (1, False)


def test_no_overlap_is_a_gap_and_everything_read_is_kept():
    verdict = judge(bubbles("a b c d e f"), bubbles("u v w"), is_at_top=False, is_last=True, unread=9)
    assert verdict is not None
    assert (verdict.new, verdict.cause) == (3, "no_overlap")


def test_first_visit_that_does_not_reach_the_top_says_so():
    assert judge([], bubbles("a"), is_at_top=False, is_last=False, unread=1) is None
    cut = judge([], bubbles("a"), is_at_top=False, is_last=True, unread=1)
    assert cut is not None
    assert cut.cause == "earlier_not_read"
    whole = judge([], bubbles("a"), is_at_top=True, is_last=False, unread=1)
    assert whole is not None
    assert whole.cause == ""


def test_a_message_taken_back_does_not_hide_the_overlap():
    recall = bubble("你撤回了一条消息", side="system", kind="system")
    read = [*bubbles("a b c"), recall, *bubbles("e f g neu")]
    tail = [*bubbles("a b c"), bubble("d", side="out"), *bubbles("e f g")]
    verdict = judge(tail, read, is_at_top=False, is_last=False, unread=1)
    assert verdict is not None
    assert (verdict.new, verdict.cause) == (1, "")


def test_pages_are_joined_by_one_shift():
    older = [("x", 100), ("好的", 200), ("好的", 300), ("好的", 400)]
    newer = [("好的", 50), ("好的", 150), ("好的", 250), ("y", 350)]
    ways = joints(older, newer, expected_px=150)
    assert [way.overlap for way in ways] == [3, 2, 1]
    assert ways[0].shift_px == 150
    assert joints(older, newer, expected_px=250)[0].overlap == 2
    uneven = [("好的", 50), ("好的", 130), ("好的", 250)]
    assert [way.overlap for way in joints(older, uneven, expected_px=150)] == [1]


def scrolled(rng, texts, *, view=9, share=5):
    """Yield the pages a reader sees from the end upward, with a scroll that misses by some pixels."""
    height = 100
    top = max(0, len(texts) - view) * height
    moved = 0
    while True:
        first = -(-top // height)
        last = min(len(texts), (top + view * height) // height)
        items = []
        for at in range(first, last):
            one = bubble(texts[at])
            items.append(Item(key_of(one), one, at * height - top))
        yield items, moved
        if top == 0:
            yield items, share * height
            return
        step = min(top, share * height + rng.randint(-40, 40))
        top, moved = top - step, share * height


@pytest.mark.parametrize("repeats", [0.0, 0.1, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(6))
def test_scrolled_chats_are_read_exactly(repeats, seed):
    rng = random.Random(seed)
    texts = [rng.choice(("好的", "嗯", "收到")) if rng.random() < repeats else f"m{n}" for n in range(200)]
    visit = Visit()
    for items, moved in scrolled(rng, texts):
        if visit.items:
            assert visit.add_older(items, expected_px=moved, edge_px=-1)
        else:
            visit.begin(items)
    assert visit.is_at_top
    assert [one.text for one in visit.bubbles()] == texts


def test_a_scroll_cut_short_by_the_top_does_not_double_a_period():
    chat = [bubble(f"m{n % 5}") for n in range(10)]

    def page(first):
        return [Item(key_of(one), one, at * 100) for at, one in enumerate(chat[first : first + 9])]

    visit = Visit()
    visit.begin(page(1))
    # Five rows were asked for, one was left: laid five rows further it would fit as well.
    assert visit.add_older(page(0), expected_px=500, edge_px=-1)
    assert visit.add_older(page(0), expected_px=500, edge_px=-1)
    assert visit.is_at_top
    assert visit.bubbles() == chat


def read_up(chat, *, height, view, share):
    """Return a visit to a chat of rows as high as `height` tells, read to its top in equal scrolls."""
    tops = [0]
    for text in chat:
        tops.append(tops[-1] + height(text))

    def page(top):
        """Return what an edge does not cut."""
        rows = [(bubble(text), tops[at] - top, tops[at + 1] - top) for at, text in enumerate(chat)]
        return [Item(key_of(one), one, high) for one, high, low in rows if high > 0 and low < view]

    # Some space stands above the first row and below the last: there no edge cuts one.
    top = tops[-1] + 20 - view
    visit = Visit()
    visit.begin(page(top))
    while not visit.is_at_top:
        top = max(-20, top - share)
        if not visit.add_older(page(top), expected_px=share, edge_px=0):
            break
    return visit


def heights_of_cards(height):
    return lambda text: height if text == "card" else 90


def test_alike_cards_that_have_no_page_in_common_are_not_joined_as_one():
    chat = [*(f"m{at}" for at in range(8)), "card", "card", "card", "card"]
    cards = heights_of_cards(260)
    # The first card is cut by the upper edge here and the second by the lower one there.
    visit = read_up(chat, height=cards, view=1000, share=550)
    assert visit.is_doubtful
    stepped = read_up(chat, height=cards, view=1000, share=50)
    assert not stepped.is_doubtful
    assert [one.text for one in stepped.bubbles()] == chat


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(
    st.lists(st.sampled_from(("card", "card", "m")), min_size=12, max_size=30),
    # A scroll by so many whole cards looks like none.
    st.integers(120, 380).filter(lambda height: 550 % height),
)
def test_cards_of_any_height_are_read_or_doubted(kinds, height):
    chat = ["m", *(f"m{at}" if kind == "m" else kind for at, kind in enumerate(kinds))]
    visit = read_up(chat, height=heights_of_cards(height), view=1000, share=550)
    if visit.is_at_top and not visit.is_doubtful:
        assert [one.text for one in visit.bubbles()] == chat


def test_a_scroll_cut_short_is_no_doubt_where_pages_have_much_in_common():
    chat = [f"m{at}" for at in range(14)]
    visit = read_up(chat, height=heights_of_cards(90), view=1000, share=550)
    assert visit.is_at_top
    assert not visit.is_doubtful
    assert [one.text for one in visit.bubbles()] == chat


@pytest.mark.parametrize("seed", range(12))
def test_visits_over_time_archive_every_message_once(seed):
    rng = random.Random(seed)
    chat, archive = [], []
    for _ in range(30):
        chat += [bubble(rng.choice(("好的", "嗯", f"m{rng.random()}"))) for _ in range(rng.randint(0, 9))]
        seen = 8
        while True:
            read = chat[-seen:]
            verdict = judge(
                archive[-TAIL_LENGTH:], read, is_at_top=seen >= len(chat), is_last=False, unread=0
            )
            if verdict is not None:
                break
            seen += 5
        assert not verdict.ambiguous
        archive += read[len(read) - verdict.new :]
    assert archive == chat


def test_a_tail_of_one_message_is_no_proof_that_nothing_is_missing():
    page = bubbles("a b c d 在吗 x")
    tail = bubbles("在吗")
    # x alone is new if that 在吗 is the known one; the list of chats counted fifteen.
    assert judge(tail, page, is_at_top=False, is_last=False, unread=15) is None
    for unread in (0, 1):
        assert judge(tail, page, is_at_top=False, is_last=False, unread=unread) is None
    verdict = judge(tail, page, is_at_top=False, is_last=True, unread=15)
    assert verdict is not None
    assert (verdict.new, verdict.ambiguous, verdict.cause) == (6, True, "no_overlap")
    four = judge(tail, page, is_at_top=False, is_last=True, unread=4)
    assert four is not None
    assert (four.new, four.ambiguous, four.cause) == (4, True, "no_overlap")


def test_a_short_overlap_is_sure_if_the_count_agrees_or_it_reaches_the_top():
    page = bubbles("a b c d 在吗 x")
    counted = judge(bubbles("在吗"), page, is_at_top=False, is_last=True, unread=1)
    assert counted is not None
    assert (counted.new, counted.ambiguous, counted.cause) == (1, False, "")
    whole = judge(bubbles("a b c"), page, is_at_top=True, is_last=False, unread=0)
    assert whole is not None
    assert (whole.new, whole.ambiguous, whole.cause) == (3, False, "")
    chance = judge(bubbles("在吗"), page, is_at_top=True, is_last=False, unread=0)
    assert chance is not None
    assert (chance.new, chance.ambiguous) == (1, True)


def test_a_count_of_more_than_came_asks_for_more_and_is_a_gap_in_the_end():
    tail = bubbles("好的 " * 5)
    page = bubbles("好的 " * 5 + "x")
    assert judge(tail, page, is_at_top=False, is_last=False, unread=15) is None
    verdict = judge(tail, page, is_at_top=False, is_last=True, unread=15)
    assert verdict is not None
    assert (verdict.new, verdict.ambiguous, verdict.cause) == (6, True, "no_overlap")


def test_a_chat_marked_as_unread_is_not_read_to_its_top():
    tail = bubbles("a b c d e f g h")
    verdict = judge(tail, tail, is_at_top=False, is_last=False, unread=1)
    assert verdict is not None
    assert (verdict.new, verdict.cause) == (0, "fewer_than_counted")
