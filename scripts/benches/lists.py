"""How long a long list takes: a workbook and a CSV file of customers, checked in-process and over HTTP.

The rows are read and checked in this process; then the same bytes go to a controller over HTTP, as `farm
friends check` sends them, which also asks the store about every person; then the marked copy is made. Last,
a list of a million rows must be refused in one line. Printed are seconds by the clock and of the processor,
which differ on a busy machine. Ends with 1 if the workbook over HTTP takes the processor too long.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from controller.contacts import check
from controller.errors import BadRows
from controller.sheets import read_sheet
from controller.workbooks import write_workbook
from tests.support.running_api import RunningApi

T = TypeVar("T")

GOAL_S = 5.0
HEADING = ("手机号", "备注", "标签", "订单号", "下单时间")
MILLION = 1_000_000


def row(n: int) -> tuple[str, ...]:
    """Return a customer; every hundredth has a number that a spreadsheet spoilt."""
    mobile = "1.38001E+10" if n % 100 == 99 else f"138{n:08}"
    return (mobile, f"客户{n}", "老客户,双十一", f"D-{n}", f"2026-11-{1 + n % 20:02}")


def csv_of(rows: int) -> bytes:
    """Return a CSV file of so many customers."""
    quoted = (",".join(f'"{cell}"' for cell in row(n)) for n in range(rows))
    return "\n".join((",".join(HEADING), *quoted)).encode()


def million_rows() -> bytes:
    """Return a small workbook that says it has a million rows: packed well, as a hostile one is."""
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("list")
        for at, name in enumerate(HEADING):
            sheet.write_string(0, at, name)
        for no in range(1, MILLION + 1):
            sheet.write_number(no, 0, 13_800_138_000)
    return out.getvalue()


def timed(name: str, fn: Callable[[], T]) -> tuple[float, T]:
    """Run fn, print its seconds, and return those of the processor with its result."""
    began, began_cpu = time.perf_counter(), time.process_time()
    result = fn()
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    print(f"{name:<44} {took_s:6.2f} s, processor {cpu_s:6.2f} s", flush=True)
    return cpu_s, result


def refused(raw: bytes) -> str:
    """Return the one line with which a list is refused."""
    try:
        check(read_sheet(raw))
    except BadRows as error:
        return str(error)
    raise SystemExit("a list of a million rows was taken")


def over_http(rows: int, lists: dict[str, bytes]) -> float:
    """Check lists as the program does; returns the processor's seconds for the workbook, both ends."""
    took: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, RunningApi(Path(folder)) as api:
        api.client.timeout = 600
        for name, raw in lists.items():
            took[name], answer = timed(
                f"{name}: checked over HTTP", lambda raw=raw: api.upload("/friends/check", raw)
            )
            found = answer.json()
            if found["rows"] != rows or found["usable"] != rows - rows // 100:
                raise SystemExit(f"{name}: {found['usable']} of {found['rows']} rows are usable")
            _, answer = timed(
                f"{name}: marked copy over HTTP", lambda raw=raw: api.upload("/friends/marked", raw)
            )
            if answer.status_code != 200:
                raise SystemExit(f"{name}: no marked copy: {answer.status_code}")
    return took["workbook"]


def main() -> int:
    """Make the lists, check them, print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--no-million", action="store_true", help="leave the list of a million rows out")
    rows, no_million = (asked := parser.parse_args()).rows, asked.no_million
    lists = {
        "workbook": write_workbook("list", HEADING, (row(n) for n in range(rows))),
        "CSV": csv_of(rows),
    }
    for name, raw in lists.items():
        print(f"{name}: {rows:,} rows, {len(raw) / 1024 / 1024:.1f} MiB")
        _, sheet = timed(f"{name}: read", lambda raw=raw: read_sheet(raw))
        timed(f"{name}: rows checked", lambda sheet=sheet: check(sheet))
    took_s = over_http(rows, lists)
    if not no_million:
        raw = million_rows()
        _, said = timed(f"a million rows ({len(raw) / 1024 / 1024:.1f} MiB): refused", lambda: refused(raw))
        print(f"  {said}")
    print(f"workbook over HTTP: {took_s:.2f} s of the processor, goal {GOAL_S:.0f} s")
    return 0 if took_s <= GOAL_S else 1


if __name__ == "__main__":
    sys.exit(main())
