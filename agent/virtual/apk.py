"""What an APK says of itself: the few attributes of its binary manifest that an installer needs."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

_STRING_POOL, _XML, _START_ELEMENT = 0x0001, 0x0003, 0x0102
_UTF8_FLAG = 0x100
_TYPE_STRING = 0x03
MAX_MANIFEST_BYTES = 4_000_000


class BadApk(Exception):
    """The file is no APK."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Name and version of the package, its target SDK, and its first activity."""

    package: str
    version_name: str
    version_code: int
    target_sdk: int
    activity: str


def read_manifest(content: bytes) -> Manifest:
    """Read an APK's manifest; raises BadApk."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            info = archive.getinfo("AndroidManifest.xml")
            if info.file_size > MAX_MANIFEST_BYTES:
                raise BadApk("manifest too long")
            return _parse(archive.read(info))
    except (zipfile.BadZipFile, KeyError, struct.error, IndexError, UnicodeDecodeError) as error:
        raise BadApk("not an APK") from error


def _parse(raw: bytes) -> Manifest:
    kind, head, _ = struct.unpack_from("<HHI", raw)
    if kind != _XML:
        raise BadApk("not a binary manifest")
    strings: list[str] = []
    found: dict[str, dict[str, str | int]] = {}
    for kind, at in _blocks(raw, head):
        if kind == _STRING_POOL:
            strings = _strings(raw, at)
        elif kind == _START_ELEMENT:
            name, attributes = _element(raw, at, strings)
            found.setdefault(name, attributes)
    manifest = found.get("manifest", {})
    if not manifest.get("package"):
        raise BadApk("no package name")
    return Manifest(
        package=str(manifest["package"]),
        version_name=str(manifest.get("versionName", "")),
        version_code=int(manifest.get("versionCode", 0)),
        target_sdk=int(found.get("uses-sdk", {}).get("targetSdkVersion", 33)),
        activity=str(found.get("activity", {}).get("name", "")),
    )


def _blocks(raw: bytes, at: int) -> Iterator[tuple[int, int]]:
    while at + 8 <= len(raw):
        kind, _, size = struct.unpack_from("<HHI", raw, at)
        if size < 8:
            raise BadApk("bad block")
        yield kind, at
        at += size


def _strings(raw: bytes, at: int) -> list[str]:
    _, head, _, count, _, flags, start, _ = struct.unpack_from("<HHIIIIII", raw, at)
    offsets = struct.unpack_from(f"<{count}I", raw, at + head)
    read = _utf8 if flags & _UTF8_FLAG else _utf16
    return [read(raw, at + start + offset) for offset in offsets]


def _utf8(raw: bytes, at: int) -> str:
    at += 2 if raw[at] & 0x80 else 1  # length in characters
    size = raw[at]
    if size & 0x80:
        size = (size & 0x7F) << 8 | raw[at + 1]
        at += 1
    return raw[at + 1 : at + 1 + size].decode("utf-8", "replace")


def _utf16(raw: bytes, at: int) -> str:
    (size,) = struct.unpack_from("<H", raw, at)
    return raw[at + 2 : at + 2 + size * 2].decode("utf-16-le", "replace")


def _element(raw: bytes, at: int, strings: list[str]) -> tuple[str, dict[str, str | int]]:
    _, head, _ = struct.unpack_from("<HHI", raw, at)
    body = at + head
    _, name, start, size, count = struct.unpack_from("<IIHHH", raw, body)
    attributes: dict[str, str | int] = {}
    for place in range(count):
        _, key, text, _, _, value_type, value = struct.unpack_from(
            "<IIIHBBI", raw, body + start + place * size
        )
        is_text = value_type == _TYPE_STRING and text < len(strings)
        attributes.setdefault(strings[key], strings[text] if is_text else value)
    return strings[name], attributes
