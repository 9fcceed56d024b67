"""Writes the generated parts of docs/fraud_patterns.md and README.md: `make docs-patterns`."""

import re
from pathlib import Path

from detector.signals.conditions import words
from detector.signals.description import summary
from detector.signals.loading import load_rules
from detector.signals.pattern import Pattern
from detector.signals.rules import Rules

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "fraud_patterns.md"
README = ROOT / "README.md"
_PART = re.compile(r"(^<!-- generated: (\w+) -->\n).*?(^<!-- end -->)", re.DOTALL | re.MULTILINE)


def rewritten(page: str, rules: Rules) -> str:
    """The page with every generated part as the rules have it now.

    Raises `ValueError` for a part without a pattern, and for a pattern without a part.
    """
    parts = {"overview": overview(rules), **{p.id: parameters(p) for p in rules.patterns.values()}}
    there = [name for _, name, _ in _PART.findall(page)]
    if sorted(there) != sorted(parts):
        raise ValueError(f"{PAGE.name} has parts for {there}; expected {list(parts)}")
    return _PART.sub(lambda found: found[1] + parts[found[2]] + found[3], page)


def readme(page: str, rules: Rules) -> str:
    """The README with its table of the patterns as the rules have them now."""
    table = _table(["pattern", "fires on"], [[p.id, summary(p)] for p in rules.patterns.values()])
    return _PART.sub(lambda found: found[1] + table + found[3], page)


def overview(rules: Rules) -> str:
    """One line a pattern."""
    return _table(
        ["pattern", "view", "fires on", "weight", "severity", "action"],
        [
            [
                f"[{p.id}](#{p.id})",
                f"`{p.view}`",
                summary(p),
                f"{p.weight:.2f}",
                p.severity,
                p.action,
            ]
            for p in rules.patterns.values()
        ],
    )


def parameters(pattern: Pattern) -> str:
    """Everything in a pattern's block."""
    optional = {name: getattr(pattern, name) for name in ("value", "measure", "registered_in")}
    rows = {
        "rule": pattern.rule_id,
        "view": pattern.view,
        "watches": pattern.source,
        "where": "; ".join(map(words, pattern.where)) or "all of them",
        "operator": pattern.operator,
        "key": ", ".join(pattern.key),
        **{name: value for name, value in optional.items() if value},
        "window_seconds": str(pattern.window_seconds),
        "threshold": f"{pattern.threshold:g}",
        "scope": pattern.scope,
        "weight": f"{pattern.weight:.2f}",
        "severity": pattern.severity,
        "alert_type": pattern.alert_type,
        "action": pattern.action,
        "reason": pattern.reason,
    }
    return _table(["parameter", "value"], [[name, value] for name, value in rows.items()])


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text("utf-8"), load_rules()), "utf-8")
    README.write_text(readme(README.read_text("utf-8"), load_rules()), "utf-8")
