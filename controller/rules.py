"""Rules and exceptions as frozen values; how they are read is in controller.rulereading."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from controller.words.lexicon import Severity

# The rule of a book that names none.
DEFAULT_RULE = "R000"
WECHAT_ID = "@WECHATID"
DEFAULT_COLLAPSE_S = 600
MAX_WITHIN_MESSAGES = 20


class Behaviour(StrEnum):
    """What people do in chats, beside their words."""

    RED_PACKET = "red_packet"
    TRANSFER = "transfer"
    CONTACT_CARD = "contact_card"
    QR = "qr"  # only where the client itself says 二维码: pictures are not read
    WECHAT_ID = "wechat_id"
    FRIEND_DELETED = "friend_deleted"
    CHAT_CLEARED = "chat_cleared"
    CHAT_GONE = "chat_gone"
    SLOW_REPLY = "slow_reply"
    NIGHT = "night"


MONEY = frozenset({Behaviour.RED_PACKET, Behaviour.TRANSFER})
REMOVALS = frozenset({Behaviour.FRIEND_DELETED, Behaviour.CHAT_CLEARED, Behaviour.CHAT_GONE})


class Direction(StrEnum):
    """Whose messages a rule looks at."""

    STAFF = "staff"
    CUSTOMER = "customer"
    ANY = "any"


class RuleAction(StrEnum):
    """What a rule does: keep a violation, tell somebody, refuse texts that the system itself would send."""

    RECORD = "record"
    NOTIFY = "notify"
    HOLD = "hold"


class Chats(StrEnum):
    """Which chats a rule looks at."""

    ANY = "any"
    PRIVATE = "private"
    GROUP = "group"


class Per(StrEnum):
    """For whom a rate counts."""

    ACCOUNT = "account"
    HOLDER = "holder"
    CHAT = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """An entry of the lexicon, or else a text that stands somewhere in a message."""

    entry_id: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class On:
    """What a rule fires on: entries of the lexicon by id, or one behaviour."""

    entries: frozenset[str] = frozenset()
    behaviour: Behaviour | None = None
    min_amount_fen: int = 0  # of red packets and transfers; 0: any, also one that is not shown
    minutes: int = 0  # of slow replies
    hours: tuple[int, int] = (0, 0)  # of the night: minutes of the local day, half-open, may pass midnight


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a rule holds; `accounts` and `holders` are None where it holds for all of them."""

    accounts: frozenset[str] | None = None
    holders: frozenset[str] | None = None
    chats: Chats = Chats.ANY

    def has(self, account_id: str, holder: str, chat_kind: str) -> bool:
        """Tell whether a message is inside: of a named account or a named holder, in such a chat."""
        if self.chats is not Chats.ANY and chat_kind != self.chats:
            return False
        if self.accounts is None and self.holders is None:
            return True
        return account_id in (self.accounts or ()) or holder in (self.holders or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rule fires only when it would have fired so often within a window."""

    count: int
    window_s: int
    per: Per


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is looked for, at whom, and what happens then."""

    id: str
    name: str
    on: On
    direction: Direction = Direction.ANY
    scope: Scope = Scope()
    all_of: tuple[Term, ...] = ()
    none_of: tuple[Term, ...] = ()
    within_messages: int = 1
    joined: bool = True  # also words split over short messages that follow each other
    rate: Rate | None = None
    severity: Severity | None = None  # None: the entry's; of behaviours medium
    actions: frozenset[RuleAction] = frozenset({RuleAction.RECORD, RuleAction.HOLD})
    tells_grave: bool = True  # notifies of high and critical ones though `actions` does not name it
    is_enabled: bool = True
    collapse_s: int = DEFAULT_COLLAPSE_S

    @property
    def keeps(self) -> bool:
        """Tell whether a finding becomes a violation; a rule that only holds own texts makes none."""
        return bool(self.actions - {RuleAction.HOLD})

    def looks_at(self, side: str) -> bool:
        """Tell whether a rule looks at messages of a side: out is the staff's, in a customer's."""
        if side == "out":
            return self.direction is not Direction.CUSTOMER
        return side == "in" and self.direction is not Direction.STAFF

    def notifies(self, severity: str) -> bool:
        """Tell whether somebody is to be told of a finding."""
        is_grave = severity in (Severity.HIGH, Severity.CRITICAL)
        return RuleAction.NOTIFY in self.actions or (self.tells_grave and is_grave)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An exception: what stands inside of its phrase is no finding of its rule and entry; "" is any."""

    id: str
    rule: str = ""
    entry: str = ""
    phrase: str = ""
    accounts: frozenset[str] = frozenset()  # none: all
    by: str = ""
    at_ms: int = 0
    why: str = ""
    violation_id: int | None = None
