"""The parts of one message, the signs by which a client version marks them, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.capture.money import UNKNOWN_FEN
from agent.wechat.clients import ClientTable
from agent.wechat.pages import Node

NOT_SHOWN = -1
# A picture narrower than this share of the list is a mark or an icon beside words.
ICON_SHARE = 0.13
_KIND_ROLES = (
    "message_text",
    "message_voice",
    "message_voice_text",
    "message_video",
    "message_video_length",
    "message_image",
    "message_place",
    "message_place_title",
    "message_place_address",
    "message_file_name",
    "message_file_size",
    "message_red_packet_label",
    "message_red_packet_state",
    "message_bubble",
    "message_sender",
    "message_avatar",
)
_WORD_ROLES = (
    "image",
    "video",
    "sticker",
    "place",
    "card_red_packet",
    "card_transfer",
    "card_mini_program",
    "card_chat_record",
    "card_contact",
    "text_unfold",
    "text_fold",
)


@dataclass(frozen=True, slots=True)
class Words:
    """The signs of messages in one client version: roles by id, and fixed wordings by role."""

    roles: Mapping[str, str]
    known: frozenset[str]
    texts: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, table: ClientTable) -> Words:
        """Return the signs a table knows; a role whose id or wording it lacks is told by the others."""
        roles = {rid: role for role in _KIND_ROLES for rid in table.rids(role)}
        return cls(
            roles, frozenset(roles.values()), {role: table.texts.get(role, ()) for role in _WORD_ROLES}
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """The content of one message: its words and its pictures in document order, and roles told by ids."""

    texts: Sequence[Node]
    said: Sequence[str]  # the true text of each
    pictures: Sequence[Node]  # without words, pictures and whatever bears a description
    roles: Mapping[str, Node]
    parents: Sequence[int]  # of each text
    width: int  # of the list, px

    def is_large(self, node: Node) -> bool:
        """Tell whether a picture is more than an icon."""
        return node.box.width >= self.width * ICON_SHARE

    def role_of(self, at: int, words: Words) -> str:
        """Return the role of the n-th text by its id, "" if it has none."""
        return words.roles.get(self.texts[at].rid, "")

    def text_in(self, role: str) -> str:
        """Return the first text with an id of a role, or inside the node that has it; "" without one."""
        node = self.roles.get(role)
        if node is None:
            return ""
        return next(
            (said for one, said in zip(self.texts, self.said, strict=True) if node.at <= one.at < node.end),
            "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a message says, by its kind; what it does not have, or show, is the default."""

    kind: str
    text: str = ""
    detail: str = ""
    amount_fen: int = UNKNOWN_FEN
    state: str = ""
    length_s: int = NOT_SHOWN
    fragment: bool = False
