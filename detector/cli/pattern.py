"""`fraud pattern`: new rules, their examples, and what a change would do."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from detector.adapters.bank_files import TRUTH_FILE
from detector.adapters.rendering import PROJECT
from detector.analysis import examples
from detector.analysis.history import history_of_files, history_of_store
from detector.analysis.new_pattern import add_pattern, examples_of
from detector.analysis.preview import Preview
from detector.analysis.sweep import Point, knee, plot
from detector.cli.options import DEFAULT_STORE, AsJson
from detector.cli.output import as_records, print_json, print_rows
from detector.cli.progress import EventProgress
from detector.cli.versions import export, rollback, rules_in_force, versions
from detector.core.data import JsonObject
from detector.core.errors import InputError
from detector.signals.changes import with_changes
from detector.signals.loading import load_rules
from detector.signals.operators import OPERATORS

WIDEST = 12  # a bar, in characters
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
)
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="A key of the block with its new value: threshold=4. Repeatable."),
]
Events = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[DIR|FILES]", help="Event files; without any, the store's events."),
]


@app.callback()
def group() -> None:
    """Add, check, preview and export rules; roll a change back."""


app.command()(versions)
app.command()(rollback)
app.command()(export)


@app.command()
def preview(
    name: Annotated[str, typer.Argument(help="The pattern.")],
    events: Events = None,
    changes: Changes = None,
    sweep: Annotated[
        str | None, typer.Option(help="Several values of one key: threshold=3,4,5,6.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Labels; by default truth.jsonl of the folder, if any.")
    ] = None,
    plot_file: Annotated[
        Path | None, typer.Option("--plot", help="With --sweep: draw it, as .svg or .png.")
    ] = None,
    store: Annotated[Path, typer.Option("--store", help="The store, one DuckDB file.")] = (
        DEFAULT_STORE
    ),
    as_json: AsJson = False,
) -> None:
    """Show what a changed rule would have found.

    Computed by the SQL models over files, or over the events of a store, as a backtest with the
    changed rule would. Changes nothing.
    """
    rules = load_rules() if events else rules_in_force(store)
    given = _changes(changes or [])
    tried = _sweep(sweep)
    if not given and not tried:
        raise InputError("Give at least one --set KEY=VALUE, or --sweep KEY=VALUE,VALUE.")
    after = with_changes(rules, name, given)
    variants = [(value, with_changes(after, name, {key: value})) for key, value in tried]
    if truth is None and events and len(events) == 1 and (events[0] / TRUTH_FILE).is_file():
        truth = events[0] / TRUTH_FILE
    history = history_of_files(events, rules) if events else history_of_store(store, rules, name)
    with history as db:
        found = Preview(db, rules, name, truth)
        if not variants:
            _show(found.compare(after), given, as_json)
            return
        with EventProgress("trying", "values", len(variants)) as progress:
            points = []
            for value, changed in variants:
                points.append(Point(value, found.outcome(changed)))
                progress.advance(1)
    best = knee(points)
    if plot_file is not None:
        plot(plot_file, points, best, name, tried[0][0])
    _show_sweep(points, best, tried[0][0], as_json)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Its name: lower case, with underscores.")],
    title: Annotated[str, typer.Option(prompt=True, help="What it is called.")],
    source: Annotated[
        str, typer.Option(prompt=True, help="transactions, logins, card_events or alerts.")
    ],
    operator: Annotated[str, typer.Option(prompt=True, help=f"One of {', '.join(OPERATORS)}.")],
    key: Annotated[str, typer.Option(prompt=True, help="Columns, such as card_token,merchant_id.")],
    window: Annotated[int, typer.Option(prompt=True, help="Seconds.")],
    threshold: Annotated[float, typer.Option(prompt=True, help="From where on it fires.")],
    weight: Annotated[float, typer.Option(prompt=True, help="In the score, up to 1.")],
    action: Annotated[str, typer.Option(prompt=True, help="Recommended, such as STEP_UP.")],
    where: Annotated[str, typer.Option(help="Which events count, in SQL; by default all.")] = "",
    value: Annotated[str | None, typer.Option(help="For distinct_burst and novelty.")] = None,
    measure: Annotated[str | None, typer.Option(help="For pair, novelty and outlier.")] = None,
    severity: Annotated[str, typer.Option(help="LOW, MEDIUM, HIGH or CRITICAL.")] = "MEDIUM",
    rule_id: Annotated[str | None, typer.Option(help="By default made of the name.")] = None,
    mode: Annotated[str, typer.Option(help="live, or shadow to try it without effect.")] = "live",
) -> None:
    """Add a pattern of a known shape to this checkout.

    Writes its block with examples, its model and its descriptions. Without options it asks.
    """
    block = {
        "title": title, "view": f"mv_{name}", "rule_id": rule_id or f"FR-{name[:3].upper()}-100",
        "source": source, "operator": operator, "key": key.split(","),
        "scope": "account" if source in ("transactions", "card_events") else "customer",
        "where": where or [], "value": value, "measure": measure, "window_seconds": window,
        "threshold": threshold, "weight": weight, "severity": severity,
        "alert_type": name.upper(), "mode": mode,
        "reason": f"{title}: {{observed}} within {{window}}; the limit is {{threshold}}.",
        "action": action,
    }  # fmt: skip
    block = {name: value for name, value in block.items() if value is not None}
    cases = examples_of(block)
    for path in add_pattern(PROJECT, name, block, cases):
        print(f"wrote {path}")
    if not cases:
        print("Add examples to the block: docs/fraud_patterns.md says how.")
    print(
        f"Next: fraud pattern check {name}; fraud pattern preview {name} DIR --set "
        f"threshold={threshold:g}; make docs-patterns; say in docs/fraud_patterns.md why it shows "
        'fraud; UPDATE_GOLDEN=1 make test ARGS="tests/dbt/test_risingwave.py"; make check'
    )


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PATTERN]...", help="By default all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the examples of the patterns' blocks on both engines.

    Exit code 1 if one does not do what it says, or a pattern has no near miss.
    """
    rules = load_rules()
    for name in names or ():
        with_changes(rules, name, {})
    found = list(examples.check(rules, names or list(rules.patterns)))
    columns = ["pattern", "example", "must_fire", "engine", "sql", "ok"]
    rows = [[*result, result.ok] for result in found]
    if as_json:
        print_json(as_records(columns, rows))
    else:
        print_rows("Examples", columns, rows)
    if not all(result.ok for result in found):
        raise typer.Exit(1)


def _changes(given: list[str]) -> dict[str, Any]:
    return dict(_pair(text) for text in given)


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"{text!r} is not KEY=VALUE, such as threshold=4.")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise InputError(f"{value!r} is not a value in YAML: {error}") from error


def _sweep(text: str | None) -> list[tuple[str, Any]]:
    if text is None:
        return []
    key, values = _pair(text)
    return [(key, yaml.safe_load(value)) for value in str(values).split(",")]


def _show(found: JsonObject, changes: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json({"changes": changes, **found})
        return
    before, after = _flat(found["before"]), _flat(found["after"])
    title = f"{found['pattern']} with " + ", ".join(f"{k} = {v}" for k, v in changes.items())
    print_rows(
        title, ["", "now", "then"], [[n, before.get(n), after.get(n)] for n in after | before]
    )
    for kind, words in (("new", "Cases that would appear"), ("gone", "Cases that would not be")):
        cases = found["cases"][kind]
        if cases["count"]:
            columns = list(cases["sample"][0])
            rows = [[case[c] for c in columns] for case in cases["sample"]]
            print_rows(f"{words}: {cases['count']}, the largest", columns, rows)


def _show_sweep(points: list[Point], best: int | None, key: str, as_json: bool) -> None:
    if as_json:
        shown = [{key: p.value, "knee": n == best, **p.outcome} for n, p in enumerate(points)]
        print_json({"sweep": key, "points": shown})
        return
    flat = [_flat(point.outcome) for point in points]
    most = max(point.height for point in points) or 1
    for point, figures in zip(points, flat, strict=True):
        figures["drawn"] = "█" * round(WIDEST * point.height / most)
    names = [n for n in flat[0] if not n.startswith("together_with.")]
    columns = ["", *(f"{p.value}{' *' if n == best else ''}" for n, p in enumerate(points))]
    print_rows(
        f"{key}; * has the best trade-off", columns, [[n, *(f.get(n) for f in flat)] for n in names]
    )


def _flat(found: JsonObject, prefix: str = "") -> dict[str, Any]:
    """Nested figures by their path; intervals as text."""
    flat: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            interval = isinstance(value, tuple)
            flat[prefix + name] = f"{value[0]:.2f}-{value[1]:.2f}" if interval else value
    return flat
