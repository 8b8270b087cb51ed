"""What a message is: told by its words, their order and structure, and by ids last. Pure.

What the form of a message leaves open is kept as of no known kind, with all its words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.capture.money import UNKNOWN_FEN, amount_fen, red_packet_state, transfer_state
from agent.capture.parts import NOT_SHOWN, Content, Parts, Words
from agent.wechat.pages import Node
from protos.facts import MessageKind

UNKNOWN_WORD = "[未知消息]"
_VOICE_LENGTH = re.compile(r"(?:(\d{1,2})['′])?(\d{1,3})(?:[\"″”]|''|秒)")
_CLOCK_LENGTH = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2})")
_FILE_SIZE = re.compile(r"(?:≈|约)?\d+(?:\.\d+)?\s?(?:[KMGT]?B|[KMGT]|字节)", re.IGNORECASE)
_QUOTED = re.compile(r".+?[:：].*", re.DOTALL)
_CALL = re.compile(
    r"(?:通话|聊天)时长[:：]?\s?(?P<length>[\d:]+)|(?:已|对方已)(?:取消|拒绝)|(?:对方)?(?:无应答|未应答|未接听)"
    r"|(?:对方)?忙线(?:中|未接听)?|通话(?:中断|已中断)|(?:已在)?其[他它]设备(?:上)?已?(?:接听|拒绝)|连接失败"
    r"|Duration:?\s?(?P<english>[\d:]+)|(?:Canceled|Declined|No answer|Missed|Line busy)(?: by caller)?"
)

Reading = Callable[[Parts, Words], Content | None]


def content_of(parts: Parts, words: Words) -> Content:
    """Return what a message is and says; of kind other, with every word of it, if its form is not known."""
    unfold, fold = words.texts["text_unfold"], words.texts["text_fold"]
    folds = [at for at, said in enumerate(parts.said) if at and said in (*unfold, *fold)]
    if folds:
        shown = _read(_without(parts, folds), words)
        if shown.kind in (MessageKind.TEXT, MessageKind.QUOTE):
            is_folded = any(parts.said[at] in unfold for at in folds)
            return replace(shown, fragment=is_folded)
    return _read(parts, words)


def unknown(said: Sequence[str]) -> Content:
    """Return a message of no known form with its words."""
    return Content(kind=MessageKind.OTHER, text=" ".join([UNKNOWN_WORD, *said]))


def _read(parts: Parts, words: Words) -> Content:
    for reading in _READINGS:
        found = reading(parts, words)
        if found is not None:
            return found
    return unknown(parts.said)


def _without(parts: Parts, places: Sequence[int]) -> Parts:
    kept = [at for at in range(len(parts.said)) if at not in places]
    return replace(
        parts,
        texts=[parts.texts[at] for at in kept],
        said=[parts.said[at] for at in kept],
        parents=[parts.parents[at] for at in kept],
    )


def _plain_text(parts: Parts, words: Words) -> Content | None:
    """One text by its id, with no picture but marks beside it: by far the most messages."""
    if len(parts.said) != 1 or parts.role_of(0, words) != "message_text":
        return None
    return None if _call_length(parts, words) is not None else _bare_text(parts, words)


def _bare_text(parts: Parts, _words: Words) -> Content | None:
    """One text that nothing else tells to be more."""
    if len(parts.said) != 1 or "message_voice" in parts.roles or "message_bubble" in parts.roles:
        return None
    if parts.pictures and any(parts.is_large(one) for one in parts.pictures):
        return None
    return Content(kind=MessageKind.TEXT, text=parts.said[0])


def _card(parts: Parts, words: Words) -> Content | None:
    """A card whose lowest line says what it is."""
    if len(parts.said) < (1 if "message_bubble" in parts.roles else 2):
        return None
    foot, rest = parts.said[-1], parts.said[:-1]
    if any(node.box.top > parts.texts[-1].box.top for node in parts.texts[:-1]):
        return None
    if "message_red_packet_label" in parts.roles or foot in words.texts["card_red_packet"]:
        return _red_packet(rest, parts.text_in("message_red_packet_state"))
    if foot in words.texts["card_transfer"]:
        return _transfer(rest)
    if foot in words.texts["card_mini_program"]:
        # The program stands over the title, with its sign.
        title, source = (rest[1], rest[0]) if len(rest) > 1 else ("".join(rest), "")
        return Content(
            kind=MessageKind.MINI_PROGRAM, text=title, detail="\n".join((source, *rest[2:])).strip()
        )
    titled = {"card_chat_record": MessageKind.CHAT_RECORD, "card_contact": MessageKind.CONTACT_CARD}
    for role, kind in titled.items():
        if rest and foot in words.texts[role]:
            return Content(kind=kind, text=rest[0], detail="\n".join(rest[1:]))
    return None


def _red_packet(lines: Sequence[str], stated: str) -> Content:
    """The first line is the wish, whatever it reads; a state stands below it, or is `stated` by its id."""
    if stated:
        wish = "".join(lines[: len(lines) - 1])
        return Content(kind=MessageKind.RED_PACKET, text=wish, state=red_packet_state(stated))
    state = next((state for line in lines[1:] if (state := red_packet_state(line))), "")
    return Content(kind=MessageKind.RED_PACKET, text="".join(lines[:1]), state=state)


def _transfer(lines: Sequence[str]) -> Content:
    """The amount, if it is shown, what is said of its state, and else what the sender wrote."""
    amounts = [(at, fen) for at, line in enumerate(lines) if (fen := amount_fen(line)) != UNKNOWN_FEN]
    place, fen = amounts[0] if amounts else (-1, UNKNOWN_FEN)
    others = [line for at, line in enumerate(lines) if at != place]
    # What the sender wrote stands above what the client says, and may read like it.
    states = [(at, state) for at, line in enumerate(others) if (state := transfer_state(line))]
    at, state = states[-1] if states else (-1, "")
    note = "\n".join(line for place, line in enumerate(others) if place != at)
    return Content(kind=MessageKind.TRANSFER, text=note, amount_fen=fen, state=state)


def _voice(parts: Parts, words: Words) -> Content | None:
    if not parts.said or not ("message_voice" in parts.roles or "message_voice" not in words.known):
        return None
    match = _VOICE_LENGTH.fullmatch(parts.said[0].strip())
    if match is None and "message_voice" not in parts.roles:
        return None
    length_s = int(match[1] or 0) * 60 + int(match[2]) if match else NOT_SHOWN
    spoken = parts.said[1:] if match else parts.said
    if "message_voice" not in parts.roles and len(spoken) > 1:
        return None
    return Content(kind=MessageKind.VOICE, detail="\n".join(spoken), length_s=length_s)


def _call_length(parts: Parts, words: Words) -> int | None:
    """Return the seconds of a call, NOT_SHOWN if it was none, None if this is no line of a call.

    Anybody can write the same words: what tells is the sign beside them, or a view other than that of texts.
    """
    match = _CALL.fullmatch(parts.said[0].strip()) if len(parts.said) == 1 else None
    if match is None:
        return None
    is_other_view = "message_text" in words.known and parts.role_of(0, words) != "message_text"
    if not is_other_view and not any(_is_sign_of(one, parts.texts[0]) for one in parts.pictures):
        return None
    length = match["length"] or match["english"]
    return _seconds(length) if length else NOT_SHOWN


def _is_sign_of(picture: Node, text: Node) -> bool:
    """Tell whether a picture stands in the box of a text, on its line; a mark of failure stands outside."""
    is_level = picture.box.top < text.box.bottom and picture.box.bottom > text.box.top
    return is_level and picture.parent == text.parent


def _call(parts: Parts, words: Words) -> Content | None:
    length_s = _call_length(parts, words)
    if length_s is None:
        return None
    is_video = any(desc in one.desc for one in parts.pictures for desc in words.texts["video"])
    kind = MessageKind.VIDEO_CALL if is_video else MessageKind.VOICE_CALL
    return Content(kind=kind, detail=parts.said[0], length_s=length_s)


def _file(parts: Parts, _words: Words) -> Content | None:
    name = parts.text_in("message_file_name")
    if name:
        return Content(kind=MessageKind.FILE, text=name, detail=parts.text_in("message_file_size"))
    if 2 <= len(parts.said) <= 3 and _FILE_SIZE.fullmatch(parts.said[1].strip()):
        return Content(kind=MessageKind.FILE, text=parts.said[0], detail=parts.said[1])
    return None


def _video(parts: Parts, words: Words) -> Content | None:
    """A picture with a length alone, or described as a video."""
    length = _CLOCK_LENGTH.fullmatch(parts.said[0].strip()) if len(parts.said) == 1 else None
    is_told = "message_video" in parts.roles or any(
        one.desc in words.texts["video"] for one in parts.pictures
    )
    if len(parts.said) > (length is not None) or not (length or is_told):
        return None
    if not is_told and not any(parts.is_large(one) for one in parts.pictures):
        return None
    return Content(kind=MessageKind.VIDEO, length_s=_seconds(length[0]) if length else NOT_SHOWN)


def _picture(parts: Parts, words: Words) -> Content | None:
    """A picture without words: images are described as such, videos bear a length, the rest is stickers."""
    if parts.said:
        return None
    descs = {one.desc for one in parts.pictures}
    if "message_image" in parts.roles or descs.intersection(words.texts["image"]):
        return Content(kind=MessageKind.IMAGE)
    is_bare = any(parts.is_large(one) and not one.desc for one in parts.pictures)
    is_told = is_bare or not descs.isdisjoint(words.texts["sticker"])
    return Content(kind=MessageKind.STICKER) if is_told else None


def _place(parts: Parts, words: Words) -> Content | None:
    """A title, an address, and a map right across below them."""
    is_described = any(one.desc in words.texts["place"] for one in parts.pictures)
    is_marked = "message_place" in parts.roles or "message_place_title" in parts.roles
    if not 1 <= len(parts.said) <= 2 or not (is_described or is_marked or _is_over_map(parts)):
        return None
    return Content(kind=MessageKind.LOCATION, text=parts.said[0], detail="\n".join(parts.said[1:]))


def _is_over_map(parts: Parts) -> bool:
    if len(parts.said) != 2 or "message_text" in parts.roles:
        return False
    foot = max(node.box.bottom for node in parts.texts)
    wide = max(node.box.width for node in parts.texts)
    return any(
        one.box.top >= foot and one.box.width >= max(wide, parts.width * 0.4) for one in parts.pictures
    )


def _quote(parts: Parts, words: Words) -> Content | None:
    """A text and, in a box of its own below it, the line it answers."""
    if len(parts.said) < 2:
        return None
    first, second = parts.texts[0], parts.texts[1]
    if second.box.top < first.box.bottom:
        return None
    is_told = parts.role_of(0, words) == "message_text" and parts.role_of(1, words) != "message_text"
    # A first line that ends in a colon is a name: there the quoted line stands above.
    is_named = _QUOTED.fullmatch(parts.said[1]) and not parts.said[0].rstrip().endswith((":", "："))
    is_apart = bool(is_named) and parts.parents[0] != parts.parents[1]
    is_open = "message_text" not in words.known and not any(parts.is_large(one) for one in parts.pictures)
    if not is_told and not (is_open and is_apart and len(parts.said) == 2):
        return None
    return Content(kind=MessageKind.QUOTE, text=parts.said[0], detail="\n".join(parts.said[1:]))


def _link(parts: Parts, words: Words) -> Content | None:
    """A title, words below it, and a picture beside them; further lines say where it comes from."""
    is_card = "message_bubble" in parts.roles
    if len(parts.said) < (1 if is_card else 2) or not parts.pictures:
        return None
    if parts.role_of(0, words) == "message_text":
        return None
    return Content(kind=MessageKind.LINK, text=parts.said[0], detail="\n".join(parts.said[1:]))


def _seconds(clock: str) -> int:
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part or 0)
    return seconds


_READINGS: tuple[Reading, ...] = (
    _plain_text,
    _card,
    _voice,
    _call,
    _video,
    _picture,
    _file,
    _place,
    _quote,
    _link,
    _bare_text,
)
