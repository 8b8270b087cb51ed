"""The first second of a world: turn a scenario into accounts, people, chats, posts and things to come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from agent.virtual import scenario as plan
from agent.virtual.accounts import Account, FriendRequest
from agent.virtual.people import Person
from agent.virtual.plannedtalk import Chat as PlannedChat
from agent.virtual.plannedtalk import Written
from agent.virtual.talk import Line, Post
from agent.virtual.talkplans import chat_of, plan_talk

if TYPE_CHECKING:
    from agent.virtual.world import World

# Made-up small talk for long histories; numbered, so that no two lines are equal unless they should be.
HISTORY = (
    "请问还有货吗",
    "有的，今天可以发货",
    "好的",
    "好的",
    "麻烦帮我留一件",
    "没问题，已经登记了",
    "谢谢",
    "不客气😊",
)


def populate(world: World, scenario: plan.Scenario, count: int | None) -> None:
    """Fill an empty world; times of the scenario count from `world.start_ms`."""
    for phone in scenario.all_phones(count):
        _add_account(world, phone, phone.client or scenario.client)
        world.accounts[phone.account_id].tags.extend(scenario.tags)
    for person in scenario.all_people():
        _add_person(world, person)
    for chat in scenario.chats:
        _add_chat(world, chat)
    plan_talk(world, scenario)
    for n, post in enumerate(scenario.posts):
        _add_post(world, post, f"post{n}")
    for incoming in scenario.incoming:
        _plan_incoming(world, incoming)
    _plan_warnings(world, scenario.warnings)


def _add_account(world: World, phone: plan.Phone, client: plan.Client) -> None:
    account = Account(
        account_id=phone.account_id,
        nickname=phone.nickname,
        serial=phone.serial,
        client=client,
        is_logged_out=client.logged_out,
    )
    world.accounts[account.account_id] = account
    world.truth.join(phone.serial, phone.account_id)
    for warn in client.warnings:
        _plan_warning(world, account, warn)


def _plan_warnings(world: World, warnings: Iterable[plan.AccountsWarn]) -> None:
    for warn in warnings:
        for account in world.chosen(warn.accounts):
            _plan_warning(world, account, warn)


def _plan_warning(world: World, account: Account, warn: plan.Warn) -> None:
    if warn.after_requests is not None or warn.after_likes is not None:
        account.warn_later.append(warn)
    elif warn.at_s is not None:
        world.schedule(world.at(warn.at_s), lambda: world.notices.script(account, warn))
    else:
        world.notices.script(account, warn)


def _add_person(world: World, spec: plan.Person) -> None:
    person = Person(
        key=spec.key,
        mobile=spec.mobile,
        wechat_id=spec.wechat_id,
        nickname=spec.nickname,
        region=spec.region,
        trait=spec.trait,
        accepts_after_s=spec.accepts_after_s,
        moments=spec.moments,
    )
    world.meet(person)
    for account in world.chosen(spec.friend_of):
        account.friends[spec.key] = spec.remark
        account.put_tags(spec.key, spec.tags)
    for account in world.chosen(spec.requested_by):
        _add_request(world, account, person)


def _add_request(world: World, account: Account, person: Person) -> None:
    """Put a request there that was sent an hour before the start."""
    account.requests.append(
        FriendRequest(
            person=person.key,
            name=person.nickname,
            is_incoming=False,
            greeting=f"我是{account.nickname}",
            at_ms=world.start_ms - 3_600_000,
        )
    )
    if person.accepts_after_s is not None:
        world.schedule(world.at(person.accepts_after_s), lambda: world.accept_by_person(account, person))


def _add_chat(world: World, spec: PlannedChat) -> None:
    for account in world.chosen(spec.accounts):
        chat = chat_of(world, account, spec.peer or spec.title)
        chat.kind, chat.members, chat.muted, chat.refuses = spec.kind, spec.members, spec.muted, spec.refuses
        chat.is_folded = spec.folded
        if spec.title:
            chat.title = spec.title
        written = _history(spec.history) + spec.lines
        for n, one in enumerate(written):
            ago_s = one.ago_s if one.ago_s is not None else (len(written) - n) * 60.0
            chat.add(
                Line(
                    at_ms=world.start_ms - round(ago_s * 1000),
                    side=one.side,
                    kind="system" if one.side == "system" else one.kind,
                    text=one.text,
                    sender=one.sender,
                    **one.more(),
                )
            )
        chat.unread = spec.unread


def _history(count: int) -> tuple[Written, ...]:
    return tuple(
        Written(text=HISTORY[n % len(HISTORY)], side="in" if (n // 2) % 2 == 0 else "out")
        for n in range(count)
    )


def _add_post(world: World, spec: plan.Post, post_id: str) -> None:
    author, author_name = _named(world, spec.author)
    post = Post(
        post_id=post_id,
        author=author,
        author_name=author_name,
        text=spec.text,
        at_ms=world.at(spec.at_s) if spec.at_s is not None else world.start_ms - round(spec.age_s * 1000),
        images=spec.images,
        is_ad=spec.is_ad,
        likes=dict(_named(world, one) for one in spec.liked_by),
        comments=list(spec.comments),
    )
    if spec.at_s is None:
        world.posts.append(post)
    else:
        world.schedule(post.at_ms, lambda: world.posts.append(post))


def _named(world: World, name: str) -> tuple[str, str]:
    """Return key and nickname of a person or an account; any other name stands for itself."""
    if name in world.accounts:
        return name, world.accounts[name].nickname
    person = world.find(name)
    return (person.key, person.nickname) if person else (name, name)


def _plan_incoming(world: World, spec: plan.Incoming) -> None:
    def ask() -> None:
        for account in world.chosen(spec.accounts):
            world.ask(
                account,
                world.person(spec.person),
                spec.greeting,
                is_expired=spec.is_expired,
                is_stale=spec.is_stale,
            )

    world.schedule(world.at(spec.at_s), ask)
