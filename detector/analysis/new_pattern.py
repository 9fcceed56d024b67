"""Writes a new pattern into a checkout: its block with examples, its model and its descriptions."""

from pathlib import Path
from typing import Any

import yaml

from detector.core.errors import InputError
from detector.core.text import amount
from detector.signals.loading import load_rules
from detector.signals.predicate import Predicate

SETTINGS = Path("dbt_project.yml")
MODELS = Path("models/fraud_signals")
DESCRIPTIONS = MODELS / "_fraud_signals.yml"
PAGE = Path("docs/fraud_patterns.md")
LISTED = "listed"
"""In examples, what a list has that a condition asks about."""
_SECTIONS_END = "## Add a pattern\n"


def add_pattern(project: Path, name: str, block: dict[str, Any], examples: list[str]) -> list[Path]:
    """Write the files of a pattern and return them; leaves nothing behind if the rules refuse it.

    `block` has the keys of the block in order, `examples` their lines in YAML. Raises `RulesError`
    for a block that is not one, `InputError` where there is such a pattern or no checkout.
    """
    page = project.parent / PAGE
    if not page.exists():
        raise InputError(f"{project} is not in a checkout; clone the repository to add a pattern.")
    if name in load_rules(project / SETTINGS).patterns:
        raise InputError(f"There is a pattern {name} already. `fraud pattern preview` changes it.")
    texts = {
        project / SETTINGS: _appended(project / SETTINGS, _block(name, block, examples)),
        project / MODELS / f"{block['view']}.sql": f"{{{{ {block['operator']}('{name}') }}}}\n",
        project / DESCRIPTIONS: _appended(project / DESCRIPTIONS, _described(block)),
        page: _with_section(page.read_text("utf-8"), name, block["title"]),
    }
    before = {path: path.read_text("utf-8") if path.exists() else None for path in texts}
    try:
        for path, text in texts.items():
            path.write_text(text, "utf-8")
        load_rules(project / SETTINGS)
    except BaseException:
        for path, text_before in before.items():
            path.unlink() if text_before is None else path.write_text(text_before, "utf-8")
        raise
    return list(texts)


def examples_of(block: dict[str, Any]) -> list[str]:
    """An example that fires and a near miss, in YAML; none for shapes that need some thought."""
    where = block.get("where") or ""
    lists = _lists(where)
    lines = _examples(block, _meeting(where))
    return [more for line in lines for more in (line, *(lists if "  events:" in line else []))]


def _examples(block: dict[str, Any], fields: dict[str, Any]) -> list[str]:
    threshold, window = block["threshold"], block["window_seconds"]
    if block["operator"] == "burst":
        least = int(threshold)
        every = window // max(1, least - 1)
        fires = [
            f"- fires: {least} within {window} seconds",
            f"  events: [{_row(every=every, times=least, **fields)}]",
        ]
        if least > 1:
            fewer = _row(every=every, times=least - 1, **fields)
            return [*fires, "- silent: one fewer", f"  events: [{fewer}]"]
        if LISTED not in fields.values():
            return []
        other = {name: "another" if v == LISTED else v for name, v in fields.items()}
        return [*fires, "- silent: a value that is not listed", f"  events: [{_row(**other)}]"]
    if block["operator"] == "distinct_burst":
        rows = [
            _row(at=n, **fields, **{block["value"]: f"VALUE_{n}"}) for n in range(int(threshold))
        ]
        return [
            f"- fires: {int(threshold)} different values",
            f"  events: [{', '.join(rows)}]",
            "- silent: the same value again",
            f"  events: [{', '.join([*rows[:-1], rows[0].replace('at: 0', f'at: {len(rows)}')])}]",
        ]
    if block["operator"] == "novelty" and block.get("measure") in ("amount", "base_amount"):
        new = {block["value"]: "new", **fields}
        first = [_row(transaction_type="TRANSFER", **{block["value"]: "old"})]
        at = {"at": window + 60} if block.get("established") else {}
        before = first if block.get("established") else []
        return [
            f"- fires: {amount(threshold)} with a value first seen now",
            f"  events: [{', '.join([*before, _row(**at, **new, amount=threshold)])}]",
            "- silent: one cent less",
            f"  events: [{', '.join([*before, _row(**at, **new, amount=threshold - 0.01)])}]",
        ]
    return []


def _meeting(where: str) -> dict[str, Any]:
    """Fields with which an event meets a condition that is made of `and` and plain comparisons."""
    from sqlglot import exp, parse_one

    if not where:
        return {}
    Predicate(sql=where)
    found: dict[str, Any] = {}
    tree = parse_one(where, dialect="duckdb")
    for part in tree.flatten() if isinstance(tree, exp.And) else [tree]:
        test = part.unnest()
        if isinstance(test, exp.Column):
            found[test.name] = True
        elif isinstance(test, exp.Not) and isinstance(test.this.unnest(), exp.Column):
            found[test.this.unnest().name] = False
        elif isinstance(test, exp.EQ | exp.GTE) and isinstance(test.left, exp.Column):
            found[test.left.name] = test.right.to_py()
        elif isinstance(test, exp.In):
            found[test.this.name] = test.expressions[0].to_py() if test.expressions else LISTED
    return found


def _lists(where: str) -> list[str]:
    """The line of an example that says what the lists have that a condition asks about."""
    asked = sorted(Predicate(sql=where).asked) if where else []
    listed = ", ".join(f"{name}: [{LISTED}]" for name in asked)
    return [f"  lists: {{{listed}}}"] if asked else []


def _row(**fields: Any) -> str:
    return "{" + ", ".join(f"{name}: {_yaml(value)}" for name, value in fields.items()) + "}"


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, int):
        return str(value)
    # Unquoted, a category code would be a number and NO a truth value.
    plain = value.replace("_", "").isalnum() and yaml.safe_load(value) == value
    return value if plain else _quoted(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _block(name: str, block: dict[str, Any], examples: list[str]) -> str:
    lines = [f"    {name}:", *(f"      {key}: {_yaml(value)}" for key, value in block.items())]
    shown = ["      examples:", *(f"        {line}" for line in examples)] if examples else []
    return "\n" + "\n".join([*lines, *shown]) + "\n"


def _described(block: dict[str, Any]) -> str:
    tests = "    data_tests: *on_transactions\n" if block["source"] == "transactions" else ""
    return (
        f"  - name: {block['view']}\n    description: >\n      {block['title']}. One row per "
        f"{' and '.join(block['key'])} and firing event.\n    columns: *signal_columns\n{tests}"
    )


def _appended(path: Path, text: str) -> str:
    return path.read_text("utf-8").rstrip("\n") + "\n" + text


def _with_section(page: str, name: str, title: str) -> str:
    section = (
        f"## {name}\n**What.** {title}.\n\n**Why.** Say here what the fraudster does, and why "
        f"this shows it.\n\n<!-- generated: {name} -->\n<!-- end -->\n\n"
    )
    return page.replace(_SECTIONS_END, section + _SECTIONS_END, 1)
