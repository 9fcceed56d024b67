"""The report of a period as a reader sees it: in Markdown, or as a page to print."""

from collections.abc import Iterable
from decimal import Decimal
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined

from detector.analysis.report import WEEKS
from detector.core.data import JsonObject, Row
from detector.core.text import label
from detector.signals.rules import Rules

MONEY = ("paid", "exposed", "already_gone")
"""The totals that are amounts in the base currency, as JSON decimal strings."""


class Table(NamedTuple):
    """A part of the report as a reader sees it."""

    title: str
    note: str
    columns: list[str]
    rows: list[list[Any]]


def markdown(found: JsonObject, rules: Rules) -> str:
    """The report as Markdown."""
    parts = [f"# {_title(found)}"]
    for table in tables(found, rules):
        parts += ["", f"## {table.title}", "", table.note, "", _line(table.columns)]
        parts += [_line(["---"] * len(table.columns)), *map(_line, table.rows)]
    return "\n".join([*parts, ""])


def page(found: JsonObject, rules: Rules) -> str:
    """The report as one HTML file that needs nothing else and prints well."""
    source = files("detector.analysis").joinpath("digest.html").read_text("utf-8")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(source)
    return template.render(title=_title(found), tables=tables(found, rules))


def tables(found: JsonObject, rules: Rules) -> list[Table]:
    """The report in tables, figures as text."""
    titles = {name: pattern.title for name, pattern in rules.patterns.items()}
    totals = found["totals"]
    kept = Table(
        "In all",
        "Money is of the confirmed and suspicious cases. Hours are from the last action of the "
        "same person, mostly the claim, to the decision.",
        ["", ""],
        [
            [label(name), _text(Decimal(value) if name in MONEY else value)]
            for name, value in totals.items()
        ],
    )
    patterns = Table(
        "Rules",
        "Precision with its 95 % interval, and that of the period before. Alone: decided cases "
        "that no other rule had a part in. Missed: confirmed cases that this rule had no part in. "
        "What raised no case is not in here: only labels or a sample of customers can show it.",
        [
            *("Rule", "Signals", "Customers", "Right", "Wrong", "Precision", "Before"),
            *("Alone", "Missed"),
        ],
        [
            [titles.get(row["pattern"], row["pattern"]), row["signals"], row["customers"],
             row["confirmed"], row["refuted"], _with_interval(row),
             _percent(row["precision_before"]), row["alone"], row["missed_by"]]
            for row in found["patterns"]
        ],
    )  # fmt: skip
    combined = Table(
        "Combinations",
        "Decided cases by the rules that fired in them, most first.",
        ["Rules", "Right", "Wrong", "Precision"],
        [
            [", ".join(titles.get(name, name) for name in row["patterns"]), row["confirmed"],
             row["refuted"], _with_interval(row)]
            for row in found["combinations"]
        ],
    )  # fmt: skip
    weeks = Table(
        "Weeks",
        f"Decided cases of the last {WEEKS} weeks.",
        ["Week of", "Rule", "Right", "Wrong"],
        [
            [str(row["week"]), titles.get(row["pattern"], row["pattern"]), row["confirmed"],
             row["refuted"]]
            for row in found["weeks"]
        ],
    )  # fmt: skip
    changes = Table(
        "Changes of rules",
        "Versions proposed or decided on.",
        ["Rule", "Version", "Now", "Changes", "Reason", "By", "Decided by"],
        [[_text(value) for value in row.values()] for row in found["changes"]],
    )
    return [kept, patterns, *(t for t in (combined, weeks, changes) if t.rows)]


def _title(found: JsonObject) -> str:
    return (
        f"Fraud detection, {found['since']:%Y-%m-%d %H:%M} to {found['until']:%Y-%m-%d %H:%M} UTC"
    )


def _line(cells: Iterable[object]) -> str:
    escaped = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f}%"


def _with_interval(row: Row) -> str:
    interval = row["precision_interval"]
    if interval is None:
        return "-"
    return f"{_percent(row['precision'])} ({100 * interval[0]:.0f}-{100 * interval[1]:.0f})"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple | list):
        return f"{100 * value[0]:.0f}-{100 * value[1]:.0f}%"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return str(value) if isinstance(value, str) else f"{value:,}"
