"""Addresses to listen on: this machine only, until hosts are enrolled with certificates."""

from __future__ import annotations

import ipaddress
import socket

from controller.errors import ConfigWrong


def check_loopback(address: str) -> tuple[str, int]:
    """Return host and port of an address on this machine; ConfigWrong if others could reach it."""
    host, _, port = address.rpartition(":")
    bare = host.strip("[]")
    try:
        is_loopback = bare == "localhost" or ipaddress.ip_address(bare).is_loopback
        number = int(port)
    except ValueError:
        raise ConfigWrong(f"{address!r} is not an address such as 127.0.0.1:7480") from None
    if not is_loopback:
        raise ConfigWrong(
            f"{address} can be reached from other machines; until hosts are enrolled with certificates "
            "only loopback addresses are accepted, such as 127.0.0.1"
        )
    if not 0 <= number <= 65_535:
        raise ConfigWrong(f"{address!r} has no such port")
    return ("127.0.0.1" if bare == "localhost" else bare), number


def bind(address: str) -> socket.socket:
    """Return a listening socket; ConfigWrong if the address is not ours to take."""
    host, port = check_loopback(address)
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConfigWrong(f"cannot listen on {address}: {(error.strerror or '').lower()}") from None
    return listener


def shown(listener: socket.socket) -> str:
    """Return the address of a listening socket, with the port it really got."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
