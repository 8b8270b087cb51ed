"""Links and e-mail addresses in a folded text, with their usual disguises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

URL = "@URL"
EMAIL = "@EMAIL"

# Top-level names that shops, chat tools and short links use; a bare name with any other end is not a link
# (node.js/readme, and/or, 1.5m/s).
_TLDS_TEXT = """
com cn net org cc top xyz vip shop info biz tv app dev club site online store link fun ltd group
wang ren tech cloud live work wiki red ink pro mobi asia name tel space website press icu cyou
beauty art edu gov hk tw mo jp kr sg my th vn us uk de fr ru eu ca au nz it es nl ch in id ph io me
co ai im ly gl gd be la to ws fm st gg sh pw so lol one run page world today life ee cx
"""
_TLDS = frozenset(_TLDS_TEXT.split())
# Ends that are names of files: icon@2x.png is no address.
_FILE_ENDS_TEXT = """
png jpg jpeg gif webp svg bmp js ts css json xml yml yaml pdf doc docx xls xlsx ppt pptx zip rar mp3
mp4 mov avi txt html htm csv apk exe psd dwg
"""
_FILE_ENDS = frozenset(_FILE_ENDS_TEXT.split())
_PROVIDERS_TEXT = """
qq 163 126 139 189 188 gmail outlook hotmail sina yeah foxmail sohu icloud aliyun live msn yahoo vip
tom
"""
_PROVIDERS = frozenset(_PROVIDERS_TEXT.split())
# A full stop, the word for a dot or a bracketed one, typed so that nothing makes it a link.
_DOT = r"(?:[ ]?(?:[.。｡点點]|[(\[（【][ ]?(?:[.。点]|dot)[ ]?[)\]）】])[ ]?|[ ]dot[ ])"
_TOD = r"(?:[ ]?(?:[.。｡点點]|[)\]）】][ ]?(?:[.。点]|tod)[ ]?[(\[（【])[ ]?|[ ]tod[ ])"
_LABEL = r"[A-Za-z0-9-]{1,63}+"
_URL_CHARS = r"A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%"
_TRAILING = ".,;:!?'\")]>*~_-"

_SCHEME = re.compile(
    r"(?<![A-Za-z0-9])h(?:tt|xx|\*\*)ps?[ ]?[:：][ ]?[/\\]{2}[ ]?(?=[A-Za-z0-9\[])", re.IGNORECASE
)
_LINK_HOST = re.compile(rf"{_LABEL}(?:(?:[.。｡点點]|[ ]\.[ ]){_LABEL})*+")
_LINK_REST = re.compile(rf"[{_URL_CHARS}]*")
_BARE_END = re.compile(
    rf"{_DOT}(?:{'|'.join(sorted(_TLDS, key=len, reverse=True))})(?::[0-9]{{1,5}})?/(?=[A-Za-z0-9?#~%@_-])",
    re.IGNORECASE,
)
_HOST_BACK = re.compile(rf"[A-Za-z0-9-]{{1,63}}+(?:{_TOD}[A-Za-z0-9-]{{1,63}}+){{0,5}}", re.IGNORECASE)
_LOOK_BACK = 120

_AT = re.compile(
    r"[ ]?(?:@|[(\[{（【][ ]?(?:@|at|艾特)[ ]?[)\]}）】]|艾特|爱特|圈[aA](?![A-Za-z]{3}))[ ]?|[ ]at[ ]",
    re.IGNORECASE,
)
_LOCAL_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
_MAX_LOCAL = 64
_MAIL_HOST = re.compile(rf"{_LABEL}(?:{_DOT}{_LABEL}){{1,6}}+", re.IGNORECASE)
_LABELS = re.compile(r"[A-Za-z0-9-]+")
_DOTTED = re.compile(rf"{_DOT}", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z]{2,24}")


class Link(NamedTuple):
    """A link or address in the folded text; host and address are lower case, a link has no address."""

    kind: str
    start: int
    end: int
    host: str
    address: str


def links_in(text: str) -> list[Link]:
    """Return the links and addresses of a folded text in order; none overlaps another."""
    found: list[Link] = []
    for link in sorted((*_schemes(text), *_mails(text), *_bare(text)), key=lambda one: (one.start, -one.end)):
        if not found or link.start >= found[-1].end:
            found.append(link)
    return found


def _schemes(text: str) -> Iterator[Link]:
    scheme = _SCHEME.search(text)
    while scheme:
        rest = _LINK_HOST.match(text, scheme.end())
        after = rest.end() if rest else scheme.end()
        tail = _LINK_REST.match(text, after)
        end = _trimmed(text, scheme.end(), tail.end() if tail else after)
        yield Link(URL, scheme.start(), end, _authority(text[scheme.end() : end]), "")
        scheme = _SCHEME.search(text, max(end, scheme.end()))


def _authority(rest: str) -> str:
    """Return the host that a link leads to: what stands before an @ in it is a user's name."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rsplit("@", 1)[-1]
    return _host(authority.split(":", 1)[0])


def _bare(text: str) -> Iterator[Link]:
    done = 0
    for ending in _BARE_END.finditer(text):
        if ending.start() < done:
            continue
        back = _HOST_BACK.match(text[max(0, ending.start() - _LOOK_BACK) : ending.start()][::-1])
        if not back:
            continue
        start = ending.start() - back.end()
        tail = _LINK_REST.match(text, ending.end())
        end = _trimmed(text, ending.end(), tail.end() if tail else ending.end())
        done = end
        if text[start - 1 : start] == "@" or _is_name(text[ending.end() : end]):
            continue
        yield Link(URL, start, end, _host(text[start : ending.end()].split("/", 1)[0].split(":", 1)[0]), "")


def _is_name(path: str) -> bool:
    """Tell whether what follows the slash is another site's name: a/b is then a choice, not a link."""
    return path.count(".") == 1 and path.rsplit(".", 1)[-1].lower() in _TLDS


def _mails(text: str) -> Iterator[Link]:
    for at in _AT.finditer(text):
        start = _local_start(text, at.start())
        host = _MAIL_HOST.match(text, at.end()) if start < at.start() else None
        if not host:
            continue
        end = _mail_end(text, host.start(), host.end(), strict=at[0] != "@")
        local = text[start : at.start()].lower()
        name = _host(text[host.start() : end])
        if end and not (at[0] == " at " and _prose(local, name, text[host.start() : end])):
            yield Link(EMAIL, start, end, name, f"{local}@{name}")


def _local_start(text: str, end: int) -> int:
    start = end
    while start > 0 and end - start <= _MAX_LOCAL and text[start - 1] in _LOCAL_CHARS:
        start -= 1
    if end - start > _MAX_LOCAL:
        return end
    while start < end and not text[start].isalnum():
        start += 1
    return start


def _mail_end(text: str, start: int, end: int, *, strict: bool) -> int:
    """Return where a host ends: at a known top-level name, else at one that is no file's; 0 if neither."""
    labels = list(_LABELS.finditer(text, start, end))
    for label in reversed(labels[1:]):
        if label[0].lower() in _TLDS:
            return label.end()
    last = labels[-1]
    plain = (
        not strict
        and text[start:end].replace(".", "").replace("-", "").isascii()
        and " " not in text[start:end]
    )
    if plain and _NAME.fullmatch(last[0]) and last[0].lower() not in _FILE_ENDS:
        return last.end()
    return 0


def _prose(local: str, host: str, written: str) -> bool:
    """Tell whether "a at b" is a sentence rather than an address."""
    plain_dot = host == written.lower()
    return plain_dot and local.isalpha() and host.split(".", 1)[0] not in _PROVIDERS


def _host(written: str) -> str:
    return _DOTTED.sub(".", written).strip(" .").lower()


def _trimmed(text: str, least: int, end: int) -> int:
    while end > least and text[end - 1] in _TRAILING:
        end -= 1
    return end
