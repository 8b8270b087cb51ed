"""JSON-RPC of the on-phone server: from a method name and parameters to a result or an error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from agent.virtual.glance import Glance, ObjectKeys, RpcError, bad_params
from agent.virtual.handset import Handset
from agent.virtual.rpcdevice import DeviceMethods, RunCommand
from agent.virtual.rpcobjects import ObjectMethods
from agent.virtual.rpctouch import TouchMethods

Method = Callable[[Glance, list[Any]], Awaitable[Any]]


class Rpc:
    """All methods of one running server; object keys, watchers and settings live as long as it does."""

    def __init__(self, handset: Handset, run_command: RunCommand) -> None:
        self._handset = handset
        self._keys = ObjectKeys(handset.clock)
        touch = TouchMethods()
        self._methods: dict[str, Method] = {
            **DeviceMethods(handset, run_command).table(),
            **ObjectMethods(touch).table(),
            **touch.table(),
        }

    async def call(self, method: str, params: object) -> dict[str, Any]:
        """Return {"result": …} or {"error": …}."""
        try:
            return {"result": await self._run(method, params)}
        except RpcError as error:
            return {"error": {"code": error.code, "message": error.message, "data": error.data}}

    def names(self) -> list[str]:
        """Return the names of all methods."""
        return sorted(self._methods)

    async def _run(self, method: str, params: object) -> Any:
        handler = self._methods.get(method)
        if handler is None:
            raise RpcError(-32601, "method not found")
        if isinstance(params, dict) and not params:
            params = []
        if not isinstance(params, list):
            raise bad_params()
        try:
            return await handler(Glance(self._handset, self._keys, method), params)
        except (IndexError, TypeError, ValueError) as error:
            raise bad_params() from error
