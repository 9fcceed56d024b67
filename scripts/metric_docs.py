"""Writes docs/metrics.md from the list of metrics: `make docs-metrics`."""

from pathlib import Path

import yaml

from detector.core.metrics import METRICS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "metrics.md"
RULES = ROOT / "prometheus" / "fraud_alerts.yml"

_HEAD = """# Metrics

`/metrics` of `fraud run` and `fraud console`, in the Prometheus text format, without sign-in.
Labels come from fixed sets. `make docs-metrics` writes this page from `detector/core/metrics.py`.

| metric | kind | unit | labels | meaning |
| --- | --- | --- | --- | --- |
"""


def page() -> str:
    """The page as the list and the rules have it now."""
    rows = [
        f"| `{m.name}` | {m.kind} | {m.unit} | {', '.join(m.labels)} | {m.meaning} |"
        for m in METRICS.values()
    ]
    rules = yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]
    alerts = [
        f"| {r['alert']} | `{r['expr']}` | {r['annotations']['summary']} "
        f"{r['annotations']['action']} |"
        for r in rules
    ]
    return (
        _HEAD + "\n".join(rows) + "\n\n## Alert rules\n[prometheus/fraud_alerts.yml]"
        "(../prometheus/fraud_alerts.yml) has rules for these:\n\n"
        "| alert | when | what it means, and what to do |\n| --- | --- | --- |\n"
        + "\n".join(alerts)
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
