"""A plan as values: who does how much, and when it ends."""

from __future__ import annotations

from controller.clock import DAY_MS, HOUR_MS
from controller.model import AccountId, Action, Customer, Held, PhoneId, QueryKind, QuotaRule
from controller.planning import Lane, free_now, next_free_ms, plan

NOW = 100 * DAY_MS
RULE = QuotaRule(action=Action.FRIEND_ADD, per_day=4, per_hour=2, spacing_ms=60_000)


def lane(number: int, *, uses: tuple[int, ...] = (), held: str = "", rule: QuotaRule | None = RULE) -> Lane:
    return Lane(
        phone_id=PhoneId(f"{number:03}"),
        account_id=AccountId(f"wx{number}"),
        rule=rule,
        uses=list(uses),
        held=Held(cause=held) if held else None,
    )


def rows(count: int, pinned: str | None = None) -> list[Customer]:
    return [
        Customer(
            row_no=n,
            query=f"q{n}",
            query_kind=QueryKind.WECHAT_ID,
            basis="order",
            basis_at="2026-01-01",
            pinned_phone_id=PhoneId(pinned) if pinned else None,
        )
        for n in range(count)
    ]


def planned(customers: list[Customer], *lanes: Lane, pool: tuple[str, ...] = ()):
    by_id = {lane.phone_id: lane for lane in lanes}
    return plan(customers, by_id, pool=[PhoneId(p) for p in pool] or list(by_id), now_ms=NOW)


def test_one_phone_spreads_its_rows_by_spacing_hour_and_day() -> None:
    made = planned(rows(6), lane(1))
    line = made.lines[0]
    assert (line.rows, line.now, line.per_day) == (6, 2, 4)
    # 0, 1 min | 1 h, 1 h 1 min | 24 h, 24 h 1 min
    assert line.ends_at_ms == made.ends_at_ms == NOW + DAY_MS + 60_000
    assert made.unplaced == 0


def test_rows_go_to_the_phone_that_is_free_first() -> None:
    made = planned(rows(3), lane(1, uses=(NOW - 10,)), lane(2))
    assert [line.rows for line in made.lines] == [1, 2]


def test_pinned_rows_stay_on_their_phone() -> None:
    made = planned([*rows(3, pinned="002"), *rows(1)], lane(1), lane(2), pool=("001",))
    assert [line.rows for line in made.lines] == [1, 3]


def test_a_phone_that_needs_a_person_takes_no_rows_and_says_why() -> None:
    made = planned(rows(2), lane(1, held="frozen"), lane(2))
    assert [(line.rows, line.held) for line in made.lines] == [(0, "frozen"), (2, "")]
    nobody = planned(rows(2), lane(1, held="resting"))
    assert (nobody.unplaced, nobody.ends_at_ms, nobody.lines[0].now) == (2, None, 0)


def test_a_phone_in_a_passing_state_is_planned_with_but_takes_nothing_now() -> None:
    made = planned(rows(2), lane(1, held="phone_absent"))
    assert (made.lines[0].rows, made.lines[0].now, made.unplaced) == (2, 0, 0)


def test_without_a_rule_nothing_is_planned() -> None:
    made = planned(rows(1), lane(1, rule=None))
    assert (made.unplaced, made.lines[0].per_day) == (1, 0)
    assert next_free_ms(None, [], NOW) is None
    assert free_now(None, [], NOW) == 0


def test_what_is_used_already_counts() -> None:
    uses = (NOW - 30 * 60_000, NOW - 20 * 60_000)
    assert free_now(RULE, uses, NOW) == 0
    assert next_free_ms(RULE, uses, NOW) == NOW + 30 * 60_000
    assert free_now(RULE, [NOW - HOUR_MS], NOW) == 2
