"""Writes the generated parts of docs/fraud_patterns.md: `make docs-patterns`."""

import re
from pathlib import Path

from detector.core.rules import Condition, Pattern, Rules, load_rules

PAGE = Path(__file__).resolve().parents[1] / "docs" / "fraud_patterns.md"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(page: str, rules: Rules) -> str:
    """The page with every generated part as the rules have it now.

    Raises `ValueError` for a part that the rules know nothing of, and for a pattern without one.
    """
    parts = {"overview": overview(rules), **{p.id: parameters(p) for p in rules.patterns.values()}}
    there = [name for _, name, _ in _PART.findall(page)]
    if sorted(there) != sorted(parts):
        raise ValueError(f"{PAGE.name} has parts for {there}; expected {list(parts)}")
    return _PART.sub(lambda found: found[1] + parts[found[2]] + found[3], page)


def overview(rules: Rules) -> str:
    """One line a pattern."""
    return _table(
        ["pattern", "view", "fires at an event when there are", "weight", "severity", "action"],
        [
            [
                f"[{p.id}](#{p.id})",
                f"`{p.view}`",
                meaning(p),
                f"{p.weight:.2f}",
                p.severity,
                p.action,
            ]
            for p in rules.patterns.values()
        ],
    )


def meaning(pattern: Pattern) -> str:
    """When a pattern fires, its `where` left out."""
    key, limit, window = " and ".join(pattern.key), f"{pattern.threshold:g}", pattern.window_text
    if pattern.operator == "burst":
        return f"≥ {limit} {pattern.source} of one {key} within {window}"
    if pattern.operator == "distinct_burst":
        return f"≥ {limit} different {pattern.value} of one {key} within {window}"
    if pattern.operator == "pair":
        return (
            f"{pattern.measure} > {limit} to the previous of its {key}, less than {window} before"
        )
    return (
        f"{pattern.measure} ≥ {limit} and a {pattern.value} that its {key} has neither registered "
        f"nor used for {window}"
    )


def parameters(pattern: Pattern) -> str:
    """Everything that stands in a pattern's block."""
    optional = {name: getattr(pattern, name) for name in ("value", "measure", "registered_in")}
    rows = {
        "rule": pattern.rule_id,
        "view": pattern.view,
        "watches": pattern.source,
        "where": "; ".join(map(condition, pattern.where)) or "all of them",
        "operator": pattern.operator,
        "key": ", ".join(pattern.key),
        **{name: value for name, value in optional.items() if value},
        "window_seconds": str(pattern.window_seconds),
        "threshold": f"{pattern.threshold:g}",
        "level": pattern.level,
        "weight": f"{pattern.weight:.2f}",
        "severity": pattern.severity,
        "alert_type": pattern.alert_type,
        "action": pattern.action,
        "reason": pattern.reason,
    }
    return _table(["parameter", "value"], [[name, value] for name, value in rows.items()])


def condition(test: Condition) -> str:
    """One test of a `where`, as one would say it."""
    said = []
    if test.equals is not None:
        said.append(
            f"is {str(test.equals).lower() if isinstance(test.equals, bool) else test.equals}"
        )
    if test.in_:
        said.append("is " + " or ".join(map(str, test.in_)))
    if test.not_in:
        said.append("is not " + " or ".join(map(str, test.not_in)))
    if test.at_least is not None:
        said.append(f"≥ {test.at_least:g}")
    if test.below is not None:
        said.append(f"< {test.below:g}")
    if test.is_null is not None:
        said.append("is empty" if test.is_null else "is given")
    return f"{test.field} {', '.join(said)}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text("utf-8"), load_rules()), "utf-8")
