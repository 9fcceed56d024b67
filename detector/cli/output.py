"""Printing results: tables for terminals, JSON for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detector.core.data import Row
from detector.core.names import joined
from detector.core.text import printable

LEVEL_STYLES = {"critical": "bold red", "high": "yellow", "medium": "cyan", "low": "dim"}
WIDTH_IN_FILES = 160
_WRAPPING = {"patterns", "reason", "detail", "actions", "evidence", "not_met"}
_NUMBER = int | float | Decimal


def print_json(value: Any) -> None:
    """Print a value as one JSON document; times in UTC, decimals as strings."""
    print(json.dumps(value, default=_plain, ensure_ascii=False))


def print_rows(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as a table; long texts wrap, other values do not."""
    rows = list(rows)
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for place, name in enumerate(columns):
        numeric = any(isinstance(row[place], _NUMBER) for row in rows)
        wraps = name in _WRAPPING
        table.add_column(shown(name), justify="right" if numeric else "left", no_wrap=not wraps)
    for row in rows:
        level = next((str(v) for v in row if v in LEVEL_STYLES), "")
        table.add_row(*(shown(text(value)) for value in row), style=LEVEL_STYLES.get(level, ""))
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, WIDTH_IN_FILES)
    console.print(table)
    if not rows:
        console.print("  (none)")


def shown(text: str, style: str = "") -> Text:
    """Any text for a terminal: no markup in it, and no control characters."""
    return Text(printable(text), style)


def text(value: Any) -> str:
    """A value for display."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list):
        return joined(value)
    if isinstance(value, Decimal):
        return f"{value:,}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}" if value != int(value) else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def as_records(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Row]:
    """Rows as mappings, for JSON."""
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
