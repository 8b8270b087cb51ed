"""Scenarios of the virtual farm: TOML files that become frozen values; unknown keys are refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from agent.errors import ConfigWrong
from agent.virtual.faults import Fault
from agent.virtual.people import Trait
from agent.virtual.plannedtalk import EVERYBODY, Change, Chat, Hand, Recall, Remove, Say
from agent.virtual.traps import TrapName

WarnSurface = Literal["dialog", "page", "toast", "text", "banner", "system_line", "login", "verify"]
WarnMoment = Literal["", "now", "home", "search", "add", "send", "like", "accept", "reply"]


class Warn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A platform warning; without `at_s`, `after_requests`, `after_likes` it stands there from the start."""

    warning: str
    surface: WarnSurface = "dialog"
    text: str = ""  # in place of the usual wording; for words that no class knows
    form: int = 0  # which of the wordings seen of its class, the usual one first
    at: WarnMoment = ""  # the next time this is done; "" = at once, and at a search for `text`
    standing: bool | None = None  # shown each time until called off; by default what is of the account
    lasts_s: float | None = None  # it stands so long
    at_s: float | None = None
    after_requests: int | None = None
    after_likes: int | None = None


class AccountsWarn(Warn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A warning of some accounts."""

    accounts: tuple[str, ...] = (EVERYBODY,)


class PlannedFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A fault of a handset, set when the farm starts; count None = until cleared."""

    name: Fault
    method: str = "*"
    count: int | None = 1
    ms: int = 0


class PlannedTrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A trap that is set when the farm starts; `dumps` None = until cleared."""

    name: TrapName
    after_dumps: int = 0
    dumps: int | None = 1


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The WeChat client of a phone and how the platform treats its account."""

    version_name: str = "8.0.66"
    version_code: int = 2980
    installer: str = ""  # com.android.vending: a build of Google's store, with ids of its own
    language: Literal["zh-CN", "en"] = "zh-CN"
    stale_desc: bool = False  # the window goes on claiming the title it had first
    request_limit: int | None = (
        None  # requests over it are not sent but answered by TOO_FREQUENT; None = no limit
    )
    not_found_as: Literal["text", "dialog", "mixed"] = "text"  # mixed: now so, now so
    like_limit: int | None = None  # likes over it are not made but answered by TOO_FREQUENT
    like_warning: str = ""  # class of warning that answers every like; none is made
    logged_out: bool = False
    slowness: float = 1.0  # times the usual time that drawing takes
    is_12h: bool = False  # times as 上午10:44
    long_weekdays: bool = False  # 星期三 in place of 周三 in chats
    loads: int = 20  # so many lines are there when a chat opens; more are loaded at its upper end
    # The first line that is loaded always bears a time line, which goes when earlier lines are loaded.
    labels_first: bool = False
    folds_over: int = 600  # characters; longer texts are shown by their beginning
    # Where a tap on 接受 leads: to the page of remark and tags, to the profile, or friends are made by it.
    accept_opens: Literal["page", "profile", "friends"] = "page"
    warnings: tuple[Warn, ...] = ()
    faults: tuple[PlannedFault, ...] = ()
    traps: tuple[PlannedTrap, ...] = ()


class Phone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One virtual phone and the account signed in on it; `client` replaces the scenario's as a whole."""

    serial: str
    account_id: str
    nickname: str
    client: Client | None = None


class PhonesLike(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Further phones after a pattern; {n} counts all phones from 1."""

    count: int = 0
    serial: str = "VP{n:03}"
    account_id: str = "farm_{n:03}"
    nickname: str = "客服{n:02}"
    client: Client | None = None


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody who can be looked up by mobile or WeChat id; at least one of both is given."""

    nickname: str
    mobile: str = ""
    wechat_id: str = ""
    region: str = ""
    trait: Trait = Trait.ORDINARY
    accepts_after_s: float | None = None
    friend_of: tuple[str, ...] = ()  # accounts that have this friend from the start, or "all"
    requested_by: tuple[str, ...] = ()  # accounts that asked before the start and wait
    remark: str = ""
    tags: tuple[str, ...] = ()  # as given by the accounts of `friend_of`
    # closed: friends see none of the posts; blocked: they see them, and their likes are refused
    moments: Literal["open", "closed", "blocked"] = "open"

    @property
    def key(self) -> str:
        """Return how the world names this person."""
        return self.wechat_id or self.mobile


class PeopleLike(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`count` people after a pattern; {n} counts from `first`."""

    count: int
    first: int = 1
    nickname: str = "客户{n:03}"
    mobile: str = ""
    wechat_id: str = ""
    region: str = ""
    trait: Trait = Trait.ORDINARY
    accepts_after_s: float | None = None
    friend_of: tuple[str, ...] = ()
    requested_by: tuple[str, ...] = ()
    moments: Literal["open", "closed", "blocked"] = "open"


class Post(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A post in moments, seen by every account that has its author as a friend, and by its own author.

    `author` is the mobile or WeChat id of a person, an account id, or any name for an advertisement. Its age
    before the start is `ago_days` and `ago_hours` together, else `ago_s`.
    """

    author: str
    text: str
    ago_s: float = 3_600.0
    ago_hours: float = 0.0
    ago_days: float = 0.0
    at_s: float | None = None  # appears while the farm runs
    images: int = 0
    is_ad: bool = False
    liked_by: tuple[str, ...] = ()  # people, account ids, or any names
    comments: tuple[tuple[str, str], ...] = ()  # name and text

    @property
    def age_s(self) -> float:
        """Return its age at the start, in scenario-independent seconds."""
        return self.ago_days * 86_400 + self.ago_hours * 3_600 or self.ago_s


class Incoming(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person asks an account to become friends."""

    person: str
    accounts: tuple[str, ...] = (EVERYBODY,)
    greeting: str = ""
    at_s: float = 0.0
    is_expired: bool = False
    is_stale: bool = False  # shown as open; the platform calls it expired when it is accepted


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole world before its first second."""

    name: str = "unnamed"
    client: Client = Client()
    tags: tuple[str, ...] = ()  # that every account has for its contacts
    phones: tuple[Phone, ...] = ()
    phones_like: PhonesLike = PhonesLike()
    people: tuple[Person, ...] = ()
    people_like: tuple[PeopleLike, ...] = ()
    chats: tuple[Chat, ...] = ()
    says: tuple[Say, ...] = ()
    recalls: tuple[Recall, ...] = ()
    changes: tuple[Change, ...] = ()
    removes: tuple[Remove, ...] = ()
    hands: tuple[Hand, ...] = ()
    posts: tuple[Post, ...] = ()
    incoming: tuple[Incoming, ...] = ()
    warnings: tuple[AccountsWarn, ...] = ()

    def all_phones(self, count: int | None = None) -> tuple[Phone, ...]:
        """Return `count` phones: listed ones first, then those made after the pattern."""
        total = len(self.phones) + self.phones_like.count if count is None else count
        made = tuple(self._phone(n) for n in range(len(self.phones) + 1, total + 1))
        return (self.phones + made)[:total]

    def all_people(self) -> tuple[Person, ...]:
        """Return the people: listed ones first, then those made after patterns."""
        return self.people + tuple(one for pattern in self.people_like for one in _made(pattern))

    def _phone(self, n: int) -> Phone:
        like = self.phones_like
        return Phone(
            serial=like.serial.format(n=n),
            account_id=like.account_id.format(n=n),
            nickname=like.nickname.format(n=n),
            client=like.client,
        )


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario file; ConfigWrong names the place and the key."""
    try:
        return parse_scenario(path.read_bytes(), name=str(path))
    except OSError as err:
        raise ConfigWrong(f"{path}: cannot be read: {err.strerror}") from err


def parse_scenario(raw: bytes | str, *, name: str = "scenario") -> Scenario:
    """Turn TOML into a checked scenario; ConfigWrong names the place and the key."""
    try:
        scenario = msgspec.toml.decode(raw, type=Scenario)
    except (msgspec.ValidationError, msgspec.DecodeError) as err:
        raise ConfigWrong(f"{name}: {err}") from err
    for problem in _problems(scenario):
        raise ConfigWrong(f"{name}: {problem}")
    return scenario


def _made(pattern: PeopleLike) -> Iterator[Person]:
    for n in range(pattern.first, pattern.first + pattern.count):
        yield Person(
            nickname=pattern.nickname.format(n=n),
            mobile=pattern.mobile.format(n=n),
            wechat_id=pattern.wechat_id.format(n=n),
            region=pattern.region,
            trait=pattern.trait,
            accepts_after_s=pattern.accepts_after_s,
            friend_of=pattern.friend_of,
            requested_by=pattern.requested_by,
            moments=pattern.moments,
        )


def _problems(scenario: Scenario) -> Iterator[str]:
    for warn in (*scenario.warnings, *scenario.client.warnings):
        if warn.surface == "text" and warn.at not in ("", "search"):
            yield "warnings: text stands under the search box, so it comes at a search"
    people = scenario.all_people()
    yield from _doubles("phones: serial", [one.serial for one in scenario.all_phones()])
    yield from _doubles("phones: account_id", [one.account_id for one in scenario.all_phones()])
    yield from _doubles("people: mobile", [one.mobile for one in people if one.mobile])
    yield from _doubles("people: wechat_id", [one.wechat_id for one in people if one.wechat_id])
    if any(not one.key for one in people):
        yield "people: each one needs a mobile or a wechat_id"
    known = {one.key for one in people} | {one.mobile for one in people if one.mobile}
    for where, key in _peers(scenario):
        if key not in known:
            yield f"{where}: no such person in people"


def _peers(scenario: Scenario) -> Iterator[tuple[str, str]]:
    groups = {chat.title for chat in scenario.chats if chat.kind != "private"}
    for n, chat in enumerate(scenario.chats):
        if chat.kind == "private":
            yield f"chats[{n}].peer", chat.peer
    yield from (one for one in _planned(scenario) if one[1] not in groups)
    for n, post in enumerate(scenario.posts):
        if not post.is_ad and post.author not in {one.account_id for one in scenario.all_phones()}:
            yield f"posts[{n}].author", post.author
    for n, incoming in enumerate(scenario.incoming):
        yield f"incoming[{n}].person", incoming.person


def _planned(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield place and peer of all that is planned for a chat."""
    planned: dict[str, Sequence[Say | Recall | Change | Remove | Hand]] = {
        "says": scenario.says,
        "recalls": scenario.recalls,
        "changes": scenario.changes,
        "removes": scenario.removes,
        "hands": [one for one in scenario.hands if one.peer],
    }
    for where, entries in planned.items():
        yield from ((f"{where}[{n}].peer", one.peer) for n, one in enumerate(entries))


def _doubles(what: str, values: list[str]) -> Iterator[str]:
    if len(set(values)) != len(values):
        yield f"{what}: the same value stands twice"
