"""Lists as CSV files for spreadsheets."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from fastapi import Response
from pydantic import BaseModel

from detector.console.http.problems import problems

MOST_EXPORTED = 100_000


def csv_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of an export, for the API's description."""
    found = {"content": {"text/csv": {}}, "description": "One line per row, with a header."}
    return {**problems(*statuses), 200: found}


def csv_file(name: str, model: type[BaseModel], rows: Iterable[BaseModel]) -> Response:
    """A file to download: a header, then a row each; lists in a cell have commas, objects are JSON.

    A cell that a spreadsheet would run as a formula starts with a quote.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(model.model_fields)
    for row in rows:
        writer.writerow([_cell(value) for value in row.model_dump(mode="json").values()])
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "no-store",
    }
    return Response(out.getvalue(), media_type="text/csv", headers=headers)


def _cell(value: object) -> object:
    text = ", ".join(map(str, value)) if isinstance(value, list) else value
    text = json.dumps(value) if isinstance(value, dict) else text
    return f"'{text}" if isinstance(text, str) and text[:1] in tuple("=+-@\t\r") else text
