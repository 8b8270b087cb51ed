"""A list given back with what is wrong in a last column, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from controller.model import RowProblem
from controller.safe import csv_cell
from controller.sheets import Sheet
from controller.workbooks import write_workbook

PROBLEM_HEADING = "问题"


def marked_copy(sheet: Sheet, problems: Sequence[RowProblem]) -> bytes:
    """Return the rows with a 问题 column, as a workbook if the list came as one, else as CSV.

    CSV is UTF-8 with a mark, because Excel takes it without one for GBK.
    """
    why = {problem.row_no: problem.problem for problem in problems}
    width = len(sheet.heading)
    kept = [at for at, name in enumerate(sheet.heading) if name != PROBLEM_HEADING]
    heading = [*(sheet.heading[at] for at in kept), PROBLEM_HEADING]
    padded = ((row.no, (*row.cells, *[""] * width)) for row in sheet.rows)
    rows = ([*(cells[at] for at in kept), why.get(no, "")] for no, cells in padded)
    if sheet.is_workbook:
        return write_workbook(PROBLEM_HEADING, heading, rows)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([csv_cell(name) for name in heading])
    for cells in rows:
        writer.writerow([csv_cell(cell) for cell in cells])
    return out.getvalue().encode("utf-8-sig", "replace")
