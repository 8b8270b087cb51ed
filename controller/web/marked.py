"""A list given back with what is wrong in a last column, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from controller.model import RowProblem
from controller.safe import csv_cell
from controller.sheets import Sheet

PROBLEM_HEADING = "问题"


def marked_copy(sheet: Sheet, problems: Sequence[RowProblem]) -> bytes:
    """Return the rows with a 问题 column; UTF-8 with a mark, because Excel takes CSV without one for GBK."""
    why = {problem.row_no: problem.problem for problem in problems}
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    width = len(sheet.heading)
    kept = [at for at, name in enumerate(sheet.heading) if name != PROBLEM_HEADING]
    writer.writerow([csv_cell(sheet.heading[at]) for at in kept] + [PROBLEM_HEADING])
    for row in sheet.rows:
        cells = (*row.cells, *[""] * width)
        writer.writerow([csv_cell(cells[at]) for at in kept] + [why.get(row.no, "")])
    return out.getvalue().encode("utf-8-sig", "replace")
