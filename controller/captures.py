"""How the chats of each account may be read: decided, told to agents at once, checked again on arrival."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from controller import weekhours
from controller.audit import enter, named
from controller.capturerules import CaptureMode, CaptureRules, ExcludedChat, Gate, MediaPolicy, VersionInForce
from controller.errors import BadRequest
from controller.ledger import Ledger, Work
from controller.model import AccountId, Phone
from controller.sessions import PhoneSettings
from controller.store.base import Tx
from protos.facts import conversation_key

MAX_FIRST_DAYS = 3_650
MAX_FIRST_PAGES = 500
_MAX_TITLE_CHARS = 200
# As the agent names them; a service account is no person, yet it may be private as well.
_KINDS = ("private", "group", "service")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleParts:
    """What a person asks for, as typed; None leaves a part as it is."""

    mode: str | None = None
    hours: str | None = None  # see controller.weekhours
    sweep_hours: str | None = None
    media: str | None = None  # facts | pictures
    first_days: int | None = None
    first_pages: int | None = None


def gate(
    work: Work,
    account_id: AccountId,
    *,
    holder: str | None = None,
    versions: tuple[VersionInForce, ...] | None = None,
) -> Gate:
    """Return what is decided on an account; the holder is that of its phone unless named.

    `versions` of the notice, for who asks for many accounts of one transaction.
    """
    tx = work.tx
    if holder is None:
        phone_id = tx.phone_of_account(account_id)
        phone = tx.phone(phone_id) if phone_id else None
        holder = phone.holder if phone else ""
    account = tx.account(account_id)
    *former, rules = tx.all_capture_rules(account_id) or [CaptureRules(account_id=account_id)]
    return Gate(
        records=tuple(tx.notices_of(holder)) if holder else (),
        versions=tuple(tx.notice_versions()) if versions is None else versions,
        rules=rules,
        excluded=frozenset(chat.key for chat in tx.excluded_chats(account_id)),
        zone=(account.time_zone if account else "") or work.time_zone,
        former_rules=tuple(former),
        once_excluded=tuple(tx.once_excluded(account_id)),
    )


def verdict(work: Work, account_id: AccountId, key: str, at_ms: int, *, holder: str | None = None) -> str:
    """Return "" if what was read of a chat at a moment may be kept, else the cause, see Gate."""
    return gate(work, account_id, holder=holder).verdict(key, at_ms)


def filled(told: PhoneSettings, tx: Tx, phone: Phone, farm_zone: str) -> PhoneSettings:
    """Return the settings of a phone with how its account's chats may be read."""
    if phone.account_id is None:
        return told
    account = tx.account(phone.account_id)
    rules = tx.capture_rules(phone.account_id) or CaptureRules(account_id=phone.account_id)
    hours = weekhours.shown_chinese(rules.capture_windows)
    return replace(
        told,
        capture_mode=rules.mode,
        capture_windows=rules.capture_windows,
        sweep_windows=rules.sweep_windows,
        time_zone=(account.time_zone if account else "") or farm_zone,
        excluded_keys=tuple(sorted(chat.key for chat in tx.excluded_chats(phone.account_id))),
        first_pages=rules.first_pages,
        first_days=rules.first_days,
        media=rules.media,
        shown_notice=f"工作手机 {phone.phone_id} · 工作聊天记录中{' ' + hours if hours else ''}",
    )


class Captures:
    """The rules of capture for people who decide; every change is in the diary."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def rules(self, account_id: AccountId) -> CaptureRules:
        """Return what holds for an account; the farm's defaults if nobody ever decided."""
        with self._ledger.look() as tx:
            return tx.capture_rules(account_id) or CaptureRules(account_id=account_id)

    def set_rules(
        self,
        account_id: AccountId,
        parts: RuleParts,
        *,
        reason: str = "",
        actor: str,
    ) -> CaptureRules:
        """Set parts of the rules of an account; BadRequest.

        To keep pictures, not only that they are there, needs a reason.
        """
        asked = {
            name: read(getattr(parts, part))
            for part, (name, read) in _READ.items()
            if getattr(parts, part) is not None
        }
        if not asked:
            raise BadRequest("say what to set: mode, hours, sweep hours, media, first days or first pages")
        if asked.get("media") and not reason.strip():
            raise BadRequest("to keep pictures of chats say why (reason)")
        named(actor)
        with self._ledger.work() as work:
            before = work.tx.capture_rules(account_id) or CaptureRules(account_id=account_id)
            after = replace(before, **asked, set_by=actor.strip(), set_at_ms=work.now_ms)
            work.tx.set_capture_rules(after)
            told = f"{told_of(after)}; {reason.strip()}"
            enter(work, actor=actor, what="capture.set", object_=account_id, reason=told)
            work.touch(work.tx.phone_of_account(account_id))
            return after

    def excluded(self, account_id: AccountId) -> list[ExcludedChat]:
        """Return the private chats of an account by title."""
        with self._ledger.look() as tx:
            return tx.excluded_chats(account_id)

    def exclude(
        self, account_id: AccountId, title: str, *, kind: str = "private", reason: str, actor: str
    ) -> ExcludedChat:
        """Let a chat be private from now on: nothing of it is read or kept; BadRequest without a reason.

        What was archived before stays. The diary names the chat by its key only.
        """
        key = _key(title, kind)
        if not reason.strip():
            raise BadRequest("say why this chat is private (reason)")
        with self._ledger.work() as work:
            chat = ExcludedChat(
                account_id=account_id,
                key=key,
                title=title.strip(),
                reason=reason.strip(),
                excluded_by=named(actor),
                at_ms=work.now_ms,
            )
            work.tx.exclude_chat(chat)
            enter(work, actor=actor, what="chat.exclude", object_=f"{account_id} {key}", reason=reason)
            work.touch(work.tx.phone_of_account(account_id))
        return chat

    def include(
        self, account_id: AccountId, title: str, *, kind: str = "private", reason: str, actor: str
    ) -> bool:
        """Let a chat be captured again; False if it was not private; BadRequest without a reason."""
        key = _key(title, kind)
        if not reason.strip():
            raise BadRequest("say why this chat is captured again (reason)")
        with self._ledger.work() as work:
            was_private = work.tx.include_chat(account_id, key, work.now_ms)
            if was_private:
                enter(work, actor=actor, what="chat.include", object_=f"{account_id} {key}", reason=reason)
                work.touch(work.tx.phone_of_account(account_id))
        return was_private


def told_of(rules: CaptureRules) -> str:
    """Return rules in one line for the diary."""
    return (
        f"mode={rules.mode} hours={weekhours.shown(rules.capture_windows)}"
        f" sweep_hours={weekhours.shown(rules.sweep_windows)} media={rules.media or 'facts'}"
        f" first_days={rules.first_days} first_pages={rules.first_pages}"
    )


def _mode(text: str) -> CaptureMode:
    if text not in set(CaptureMode):
        raise BadRequest(f"no such mode {text[:20]!r}; one of {', '.join(CaptureMode)}")
    return CaptureMode(text)


def _media(text: str) -> MediaPolicy:
    if text not in {"facts", "pictures"}:
        raise BadRequest(f"no such media policy {text[:20]!r}; facts or pictures")
    return MediaPolicy.FACTS if text == "facts" else MediaPolicy(text)


def _windows(text: str) -> tuple[Any, ...]:
    try:
        return weekhours.read_windows(text)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _days(value: int) -> int:
    if not 1 <= value <= MAX_FIRST_DAYS:
        raise BadRequest(f"the first visit of a chat reads 1 to {MAX_FIRST_DAYS} days")
    return value


def _pages(value: int) -> int:
    if not 1 <= value <= MAX_FIRST_PAGES:
        raise BadRequest(f"the first visit of a chat reads 1 to {MAX_FIRST_PAGES} pages")
    return value


# Which part of the rules each part asked for sets, and how it is read.
_READ: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "mode": ("mode", _mode),
    "hours": ("capture_windows", _windows),
    "sweep_hours": ("sweep_windows", _windows),
    "media": ("media", _media),
    "first_days": ("first_days", _days),
    "first_pages": ("first_pages", _pages),
}


def _key(title: str, kind: str) -> str:
    name = title.strip()
    if not name or len(name) > _MAX_TITLE_CHARS:
        raise BadRequest(f"name the chat as the phone shows it, with at most {_MAX_TITLE_CHARS} characters")
    if kind not in _KINDS:
        raise BadRequest(f"no such kind of chat {kind[:20]!r}; one of {', '.join(_KINDS)}")
    return conversation_key(name, kind)
