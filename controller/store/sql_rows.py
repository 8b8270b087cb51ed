"""How the verbs of the contract run their statements, and rows become values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from controller.model import AccountId, Tenure
from protos.facts import PhoneFacts

Row = Mapping[str, Any]


def _plain(value: Any) -> Any:
    """Return a value as both drivers bind it alike."""
    if isinstance(value, bool):
        return int(value)
    return str(value) if isinstance(value, StrEnum) else value


class Statements:
    """Runs named statements of one transaction; parts of the contract inherit from it."""

    def __init__(
        self,
        run: Callable[[str, dict[str, Any]], Any],
        put: Callable[[str, Iterable[Sequence[Any]]], None],
        run_many: Callable[[str, str, Sequence[str]], Iterable[Row]] | None = None,
    ) -> None:
        self._run = run
        # Runs a statement of one parameter for many values of it; None where asking one by one costs nothing.
        self._run_many = run_many
        # Writes many rows, each in the order of the statement's columns and of plain values.
        self._put = put
        # Rows of statements of one parameter that were asked for ahead, many at once; each answers once.
        self._ahead: dict[tuple[str, str], list[Row]] = {}

    def _cursor(self, name: str, params: dict[str, Any]) -> Any:
        return self._run(name, {key: _plain(value) for key, value in params.items()})

    def _do(self, name: str, **params: Any) -> int:
        return int(self._cursor(name, params).rowcount)

    def _one(self, name: str, **params: Any) -> Row | None:
        # To the end: a statement left half-way (UPDATE … RETURNING) would stand against the commit on SQLite.
        rows = self._all(name, **params)
        return rows[0] if rows else None

    def _the(self, name: str, **params: Any) -> Row:
        row = self._one(name, **params)
        if row is None:
            # Only for statements that always give a row: the farm's own, counts, RETURNING of an upsert.
            raise LookupError(name)
        return row

    def _ask_ahead(self, name: str, parameter: str, values: Sequence[str]) -> list[Row]:
        """Run a statement for many values at once, each of which it answers once without being run again.

        Nothing may be written in between that it would show. Returns all rows; without `run_many` none.
        """
        if self._run_many is None or not values:
            return []
        self._ahead.update({(name, value): [] for value in values})
        rows = list(self._run_many(name, parameter, values))
        for row in rows:
            self._ahead[name, row["asked_for"]].append(
                {column: value for column, value in row.items() if column != "asked_for"}
            )
        return rows

    def _all(self, name: str, **params: Any) -> list[Row]:
        if self._ahead and len(params) == 1:
            rows = self._ahead.pop((name, *params.values()), None)
            if rows is not None:
                return rows
        return list(self._cursor(name, params).fetchall())

    def _count(self, name: str, **params: Any) -> int:
        return int(self._the(name, **params)["found"])


def facts_params(facts: PhoneFacts) -> dict[str, Any]:
    """Return what a handset says of itself, without its serial, as parameters."""
    return {
        "slot": facts.slot,
        "host": facts.host,
        "brand": facts.brand,
        "model": facts.model,
        "android_version": facts.android_version,
        "sdk": facts.sdk,
        "wechat_version": facts.wechat_version,
        "wechat_version_code": facts.wechat_version_code,
        "wechat_installer": facts.wechat_installer,
        "is_virtual": facts.is_virtual,
    }


def facts_of(row: Row) -> PhoneFacts:
    """Return what a handset says of itself out of a row that holds it."""
    return PhoneFacts(
        serial=row["serial"],
        slot=row["slot"],
        host=row["host"],
        brand=row["brand"],
        model=row["model"],
        android_version=row["android_version"],
        sdk=row["sdk"],
        wechat_version=row["wechat_version"],
        wechat_version_code=row["wechat_version_code"],
        wechat_installer=row["wechat_installer"],
        is_virtual=bool(row["is_virtual"]),
    )


def tenure_of(row: Row) -> Tenure:
    """Return who held a phone and with which account out of a row that holds it."""
    return Tenure(
        holder=row["holder"],
        account_id=AccountId(row["account_id"]) if row["account_id"] else None,
        since_ms=row["since_ms"],
    )
